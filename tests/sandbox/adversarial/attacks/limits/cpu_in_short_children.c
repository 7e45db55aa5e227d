// Computes in children that nobody waits for and that have ended before anybody looks.
// defence: measures
// verdict: time_limit
// seen: accepted
// limits: cpu_s=0.4 wall_s=20
// given: cpu_counter
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
    signal(SIGCHLD, SIG_IGN);
    for (int n = 0; n < 200; n++) {
        int ends[2];
        char none;
        if (pipe(ends)) return 2;
        if (fork() == 0) {
            while (cpu() < 0.004) {}
            _exit(0);
        }
        close(ends[1]);
        if (read(ends[0], &none, 1)) return 3;
        close(ends[0]);
    }
    puts("held");
    return 0;
}
