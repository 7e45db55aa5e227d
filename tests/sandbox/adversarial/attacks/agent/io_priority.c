// Makes the agent, and so the next case, the last that gets a disk.
// defence: seccomp
// cases: 2
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    int before = syscall(SYS_ioprio_get, 1, 0) >> 13;
    syscall(SYS_ioprio_set, 1, getppid(), 3 << 13);
    puts(before == 3 ? "taken" : "held");
    return 0;
}
