// Makes a file that belongs to its user look old, its path at an address whose lower half is zero.
// defence: seccomp
// proof: landlock
// seen: outside
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    char *path = mmap((void *)0x700000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    struct timespec old[2] = {{1, 0}, {1, 0}};
    strcpy(path, "@SECRET@");
    puts(syscall(SYS_utimensat, AT_FDCWD, path, old, 0) == 0 ? "taken" : "held");
    return 0;
}
