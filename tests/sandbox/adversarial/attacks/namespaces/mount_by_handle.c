// Makes a file system with the newer calls.
// defence: seccomp
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    unshare(CLONE_NEWUSER | CLONE_NEWNS);
    int made = syscall(430, "tmpfs", 0);
    int ready = syscall(431, made, 6, 0, 0, 0);
    puts(made >= 0 && ready == 0 && syscall(432, made, 0, 0) >= 0 ? "taken" : "held");
    return 0;
}
