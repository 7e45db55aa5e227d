// Ends a process of its user's by one of its threads.
// defence: landlock
// proof: landlock
// seen: outside
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    puts(syscall(SYS_tgkill, @VICTIM@, @VICTIM@, SIGKILL) == 0 ? "taken" : "held");
    return 0;
}
