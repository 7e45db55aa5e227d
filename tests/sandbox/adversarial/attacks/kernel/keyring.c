// Leaves a key in its user's keyring for the next case.
// defence: seccomp
// cases: 2
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    puts(syscall(SYS_keyctl, 10, -4, "user", "@TOKEN@", 0) > 0 ? "taken" : "held");
    syscall(SYS_add_key, "user", "@TOKEN@", "taken", 5, -4);
    return 0;
}
