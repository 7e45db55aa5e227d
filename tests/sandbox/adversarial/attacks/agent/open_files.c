// Lowers the agent's own limit of open files, and so the next case's.
// defence: seccomp
// cases: 2
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
int main(void) {
    struct rlimit own, lower = {97, 97};
    getrlimit(RLIMIT_NOFILE, &own);
    prlimit(getppid(), RLIMIT_NOFILE, &lower, 0);
    puts(own.rlim_max == 97 ? "taken" : "held");
    return 0;
}
