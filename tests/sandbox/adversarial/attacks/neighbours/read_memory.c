// Reads the memory of a process of its user's with a call of its own for that.
// defence: landlock seccomp
// why: the call is refused, and who is bound by Landlock may look into nobody who is not
// proof: landlock
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/uio.h>
int main(void) {
    unsigned long start = 0;
    char found[16];
    FILE *maps = fopen("/proc/@VICTIM@/maps", "r");
    if (!maps || fscanf(maps, "%lx", &start) != 1) start = (unsigned long)&main;
    struct iovec here = {found, sizeof found}, there = {(void *)start, sizeof found};
    puts(process_vm_readv(@VICTIM@, &here, 1, &there, 1, 0) > 0 ? "taken" : "held");
    return 0;
}
