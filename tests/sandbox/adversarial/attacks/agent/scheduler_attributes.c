// Gives the agent, and so the next case, another scheduler by the newer call.
// defence: seccomp
// cases: 2
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t times[3]; }
        wanted = {.size = 48, .nice = 11};
    int before = getpriority(PRIO_PROCESS, 0);
    syscall(SYS_sched_setattr, getppid(), &wanted, 0);
    puts(before == 11 ? "taken" : "held");
    return 0;
}
