// Exchanges its root for another.
// defence: seccomp
// levels: namespaces docker
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    unshare(CLONE_NEWUSER | CLONE_NEWNS);
    mount("tmpfs", "/tmp", "tmpfs", 0, 0);
    // The old root may lie on top of the new one: no folder is needed for it.
    puts(chdir("/tmp") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 ? "taken" : "held");
    return 0;
}
