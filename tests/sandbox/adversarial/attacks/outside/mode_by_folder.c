// Lets everybody read a file that belongs to its user, by the newest call for that.
// defence: seccomp
// proof: landlock
// seen: outside
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    puts(syscall(452, AT_FDCWD, "@SECRET@", 0644, 0) == 0 ? "taken" : "held");
    return 0;
}
