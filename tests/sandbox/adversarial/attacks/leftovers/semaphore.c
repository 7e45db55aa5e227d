// Leaves a named semaphore for the next case.
// defence: wipe
// levels: namespaces docker
// cases: 2
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
int main(void) {
    puts(sem_open("/left", 0) != SEM_FAILED ? "taken" : "held");
    sem_open("/left", O_CREAT, 0600, 1);
    return 0;
}
