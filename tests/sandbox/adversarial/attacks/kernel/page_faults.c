// Answers its own page faults, which lets it halt the kernel in the middle of a call.
// defence: seccomp
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    puts(syscall(SYS_userfaultfd, 1) >= 0 ? "taken" : "held");
    return 0;
}
