// Sets up a ring through which the kernel works for it, past any filter of calls.
// defence: seccomp
// needs: io_uring_for_all
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    char parameters[120] = {0};
    puts(syscall(SYS_io_uring_setup, 1, parameters) >= 0 ? "taken" : "held");
    return 0;
}
