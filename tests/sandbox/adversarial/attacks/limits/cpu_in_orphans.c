// Computes in processes whose parent has ended, one after the other and none of them for long.
// defence: measures
// verdict: time_limit
// seen: accepted
// limits: cpu_s=0.4 wall_s=20
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double cpu(void) {
    struct timespec told;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &told);
    return told.tv_sec + told.tv_nsec / 1e9;
}
int main(void) {
    for (int n = 0; n < 120; n++) {
        int ends[2];
        char none;
        if (pipe(ends)) return 2;
        if (fork() == 0) {
            if (fork() > 0) _exit(0);
            while (cpu() < 0.007) {}
            _exit(0);
        }
        close(ends[1]);
        wait(0);
        if (read(ends[0], &none, 1)) return 3;
        close(ends[0]);
    }
    puts("held");
    return 0;
}
