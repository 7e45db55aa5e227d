// Leaves a process that writes into the output of whatever program comes next.
// defence: sweep
// seen: next
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static void write_into(int first) {
    DIR *all = opendir("/proc");
    struct dirent *each;
    while (all && (each = readdir(all))) {
        char name[300];
        snprintf(name, sizeof name, "/proc/%s/fd/1", each->d_name);
        int pid = atoi(each->d_name), output = pid > first && pid != getpid() ? open(name, O_WRONLY | O_NONBLOCK) : -1;
        if (output >= 0 && write(output, "taken\n", 6) != 6) _exit(1);
        if (output >= 0) close(output);
    }
    if (all) closedir(all);
}
int main(void) {
    int first = getpid() + 1;
    puts("held");
    fflush(stdout);
    if (fork() == 0) {
        setsid();
        close(1);
        close(2);
        for (time_t until = time(0) + 3; time(0) < until; usleep(1000)) write_into(first);
        _exit(0);
    }
    return 0;
}
