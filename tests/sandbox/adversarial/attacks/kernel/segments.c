// Changes its table of segments, which programs of sixty-four bits have no use for.
// defence: seccomp
// needs: x86_64
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    char table[16];
#ifdef SYS_modify_ldt
    puts(syscall(SYS_modify_ldt, 0, table, sizeof table) >= 0 ? "taken" : "held");
#else
    puts(table == 0 ? "taken" : "held");
#endif
    return 0;
}
