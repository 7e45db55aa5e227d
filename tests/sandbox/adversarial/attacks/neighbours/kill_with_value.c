// Ends a process of its user's by a signal that carries a value.
// defence: landlock
// proof: landlock
// seen: outside
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
int main(void) {
    union sigval value = {0};
    puts(sigqueue(@VICTIM@, SIGKILL, value) == 0 ? "taken" : "held");
    return 0;
}
