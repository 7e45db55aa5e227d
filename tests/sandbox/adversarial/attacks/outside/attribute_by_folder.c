// Gives a file that belongs to its user an attribute, by the newest call for that.
// defence: seccomp
// proof: landlock
// seen: outside
// needs: setxattrat
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    struct { uint64_t value; uint32_t size, flags; } wanted = {(uint64_t)"taken", 5, 0};
    puts(syscall(463, AT_FDCWD, "@SECRET@", 0, "user.left", &wanted, sizeof wanted) == 0 ? "taken" : "held");
    return 0;
}
