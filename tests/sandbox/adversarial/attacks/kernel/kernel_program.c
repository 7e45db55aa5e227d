// Loads something into the kernel that programs of its own can share.
// defence: seccomp capabilities user
// why: it needs a refused call, which kernels allow only to root, and root here has no capability
// proof: namespaces root
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    uint32_t wanted[32] = {2, 4, 4, 1};
    puts(syscall(SYS_bpf, 0, wanted, sizeof wanted) >= 0 ? "taken" : "held");
    return 0;
}
