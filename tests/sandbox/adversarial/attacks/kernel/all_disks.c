// Makes the machine wait for its disks.
// defence: seccomp
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
int main(void) {
    // No such file is open: whoever asks the kernel is told so, and whoever is only pretended to have asked is not.
    puts(syncfs(-1) < 0 ? "taken" : "held");
    return 0;
}
