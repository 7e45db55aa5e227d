// Takes a descriptor of a process of its user's for its own.
// defence: landlock seccomp
// why: the call is refused, and who is bound by Landlock may look into nobody who is not
// proof: landlock
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    int victim = syscall(SYS_pidfd_open, @VICTIM@, 0);
    puts(syscall(SYS_pidfd_getfd, victim, 0, 0) >= 0 ? "taken" : "held");
    return 0;
}
