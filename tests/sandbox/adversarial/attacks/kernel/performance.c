// Measures the machine with the kernel's counters.
// defence: seccomp
// needs: perf_for_all
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    struct perf_event_attr wanted = {.type = PERF_TYPE_SOFTWARE, .size = sizeof wanted, .exclude_kernel = 1,
                                     .config = PERF_COUNT_SW_TASK_CLOCK};
    puts(syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0) >= 0 ? "taken" : "held");
    return 0;
}
