// Cuts off a file that its user could cut off, without opening it.
// defence: landlock
// proof: landlock
// seen: outside
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
int main(void) {
    puts(truncate("@SECRET@", 0) == 0 ? "taken" : "held");
    return 0;
}
