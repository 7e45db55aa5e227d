// Makes the kernel fill memory with tables of pages that were never written to.
// defence: measures
// verdict: memory_limit
// seen: accepted
// limits: memory_bytes=67108864
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
    unsigned long size = 80ul << 30;
    volatile char *much = mmap(0, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (much == MAP_FAILED) return 2;
    madvise((void *)much, size, MADV_NOHUGEPAGE);
    for (unsigned long at = 0; at < size; at += 2 << 20) (void)much[at];
    usleep(50000);
    puts("held");
    return 0;
}
