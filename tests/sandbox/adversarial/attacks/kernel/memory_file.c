// Fills memory that belongs to no file and to no process.
// defence: seccomp
// limits: memory_bytes=67108864
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
    static char part[1 << 20];
    memset(part, 1, sizeof part);
    int file = memfd_create("taken", 0), written = 0;
    while (written < 128 && write(file, part, sizeof part) == sizeof part) written++;
    usleep(50000);
    puts(written == 128 ? "taken" : "held");
    return 0;
}
