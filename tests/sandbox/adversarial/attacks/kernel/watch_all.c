// Watches whole file systems.
// defence: seccomp
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/fanotify.h>
int main(void) {
    puts(fanotify_init(FAN_REPORT_FID, 0) >= 0 ? "taken" : "held");
    return 0;
}
