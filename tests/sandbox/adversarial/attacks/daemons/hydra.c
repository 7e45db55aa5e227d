// Leaves a process that has forked and ended before anybody can end it, and so on, five thousand times at the most.
// defence: sweep
// cases: 2
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
static int found(void) {
    DIR *all = opendir("/proc");
    struct dirent *each;
    while (all && (each = readdir(all))) {
        char name[300], told[32] = "";
        snprintf(name, sizeof name, "/proc/%s/comm", each->d_name);
        FILE *file = fopen(name, "r");
        if (file && fgets(told, sizeof told, file) && !strncmp(told, "hydra", 5)) return 1;
        if (file) fclose(file);
    }
    return 0;
}
int main(void) {
    int before = 0;
    for (int n = 0; n < 20 && !before; n++) before = found();
    puts(before ? "taken" : "held");
    fflush(stdout);
    if (fork() == 0) {
        prctl(PR_SET_NAME, "hydra");
        close(1);
        for (int n = 0; n < 5000; n++) {
            if (n % 2) setsid();
            usleep(200);
            if (fork() > 0) _exit(0);
        }
    }
    usleep(20000);
    return 0;
}
