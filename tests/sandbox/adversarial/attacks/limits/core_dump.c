// Leaves a picture of its memory behind.
// defence: limits
// needs: core_files
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    int told = 0;
    struct rlimit most;
    getrlimit(RLIMIT_CORE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_CORE, &most);
    if (fork() == 0) abort();
    wait(&told);
    puts(WCOREDUMP(told) ? "taken" : "held");
    return 0;
}
