// Computes in children of a program that nobody may read, and so nobody may look into or count.
// defence: measures
// verdict: time_limit
// seen: accepted
// limits: cpu_s=0.4 wall_s=20
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
static double cpu(void) {
    struct timespec told;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &told);
    return told.tv_sec + told.tv_nsec / 1e9;
}
static int copied(void) {
    static char part[1 << 20];
    int from = open("/proc/self/exe", O_RDONLY), to = open("unseen", O_CREAT | O_WRONLY, 0111);
    int size = read(from, part, sizeof part);
    return size > 0 && write(to, part, size) == size && close(to) == 0;
}
int main(int count, char **words) {
    if (count == 1 && copied()) execl("./unseen", "unseen", "again", (char *)0);
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
    puts(words[1] ? "held" : "failed");
    return 0;
}
