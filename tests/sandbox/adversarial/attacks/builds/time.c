// Takes the compiler far longer than it may run.
// defence: measures
// verdict: compile_limit
// seen: late
// limits: cpu_s=60
#include <stdio.h>
#define A(x) x x x x x x x x
#define B(x) A(A(A(x)))
static volatile int n;
int main(void) {
    B(if (n > 1) n += n * 3; else n ^= n / 7;)
    B(if (n > 1) n += n * 5; else n ^= n / 3;)
    B(if (n > 1) n += n * 7; else n ^= n / 5;)
    B(if (n > 1) n += n * 9; else n ^= n / 11;)
    puts("held");
    return 0;
}
