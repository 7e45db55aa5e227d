// Compares what it shares with the agent, which tells where the kernel keeps things.
// defence: dumpable seccomp
// why: the call is refused, and without that, nobody may look into the agent
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    puts(syscall(SYS_kcmp, getpid(), getppid(), 1, 0, 0) >= 0 ? "taken" : "held");
    return 0;
}
