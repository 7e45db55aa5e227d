// Reads the agent's memory with a call of its own for that.
// defence: dumpable seccomp
// why: the call is refused, and without that, nobody may look into the agent
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>
int main(void) {
    char name[64], found[64];
    unsigned long start = 0;
    snprintf(name, sizeof name, "/proc/%d/maps", getppid());
    FILE *maps = fopen(name, "r");
    if (!maps || fscanf(maps, "%lx", &start) != 1) start = (unsigned long)&main;
    struct iovec here = {found, sizeof found}, there = {(void *)start, sizeof found};
    puts(process_vm_readv(getppid(), &here, 1, &there, 1, 0) > 0 ? "taken" : "held");
    return 0;
}
