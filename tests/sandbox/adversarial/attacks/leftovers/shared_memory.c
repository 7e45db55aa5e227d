// Leaves named shared memory for the next case.
// defence: wipe
// levels: namespaces docker
// cases: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
int main(void) {
    puts(shm_open("/left", O_RDONLY, 0) >= 0 ? "taken" : "held");
    shm_open("/left", O_CREAT | O_RDWR, 0600);
    return 0;
}
