// Computes in children that nobody waits for, so that their CPU time is in no sum of the kernel's.
// defence: measures
// verdict: time_limit
// seen: accepted
// limits: cpu_s=0.4 wall_s=20
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
static double cpu(void) {
    struct timespec told;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &told);
    return told.tv_sec + told.tv_nsec / 1e9;
}
int main(void) {
    int ends[2];
    char none;
    signal(SIGCHLD, SIG_IGN);
    if (pipe(ends)) return 2;
    for (int n = 0; n < 2; n++)
        if (fork() == 0) {
            while (cpu() < 0.6) {}
            _exit(0);
        }
    close(ends[1]);
    if (read(ends[0], &none, 1)) return 3;
    puts("held");
    return 0;
}
