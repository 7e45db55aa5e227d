// Looks into shared memory of the machine's.
// defence: ipc seccomp
// why: the call is refused, and in a namespace of its own there is only its own memory
// proof: namespaces root
#include <stdio.h>
#include <sys/shm.h>
int main(void) {
    puts(shmget(@KEY@, 4096, 0) >= 0 ? "taken" : "held");
    return 0;
}
