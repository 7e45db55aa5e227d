// Asks which files of the machine have been read lately.
// defence: seccomp
// needs: cachestat
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    uint64_t range[2] = {0, 0}, told[5] = {0};
    // A file that belongs to others is not told about on newer kernels: its own is enough to reach the call.
    int file = open("own", O_CREAT | O_RDWR, 0600);
    puts(syscall(451, file, range, told, 0) == 0 ? "taken" : "held");
    return 0;
}
