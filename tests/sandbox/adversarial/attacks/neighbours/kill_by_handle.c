// Ends a process of its user's by a descriptor of it.
// defence: landlock
// proof: landlock
// seen: outside
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    int victim = syscall(SYS_pidfd_open, @VICTIM@, 0);
    puts(syscall(SYS_pidfd_send_signal, victim, SIGKILL, 0, 0) == 0 ? "taken" : "held");
    return 0;
}
