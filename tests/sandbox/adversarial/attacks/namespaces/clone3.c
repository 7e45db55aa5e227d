// Starts a child that is root in a namespace of its own, by the newer call, whose arguments no filter can see.
// defence: seccomp
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    uint64_t wanted[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
    long child = syscall(SYS_clone3, wanted, sizeof wanted);
    if (child == 0) _exit(0);
    puts(child > 0 ? "taken" : "held");
    return 0;
}
