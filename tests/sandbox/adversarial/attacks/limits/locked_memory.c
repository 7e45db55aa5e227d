// Keeps memory from ever being moved out.
// defence: limits
// needs: lockable_memory
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
int main(void) {
    void *much = malloc(4 << 20);
    puts(mlock(much, 4 << 20) == 0 ? "taken" : "held");
    return 0;
}
