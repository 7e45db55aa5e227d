// Asks for what is refused by the numbers that old programs of 32 bits use.
// defence: seccomp
// needs: x86_64
// verdict: runtime_error
#include <stdio.h>
int main(void) {
    int told = -1;
#ifdef __x86_64__
    __asm__ volatile("int $0x80" : "=a"(told) : "a"(20) : "memory");
#endif
    puts(told > 0 ? "taken" : "held");
    return 0;
}
