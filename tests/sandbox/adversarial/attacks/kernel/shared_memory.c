// Leaves shared memory that has a number and no name for the next case.
// defence: seccomp
// cases: 2
#include <stdio.h>
#include <sys/shm.h>
int main(void) {
    puts(shmget(77, 4096, 0) >= 0 ? "taken" : "held");
    shmget(77, 4096, IPC_CREAT | 0600);
    return 0;
}
