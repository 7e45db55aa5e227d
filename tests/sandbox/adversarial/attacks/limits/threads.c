// Has more threads than it may, all of them asleep.
// defence: limits
// levels: namespaces docker
// limits: processes=24
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *wait_for_end(void *none) {
    pause();
    return none;
}
int main(void) {
    int started = 0;
    for (pthread_t each; started < 40 && pthread_create(&each, 0, wait_for_end, 0) == 0;) started++;
    puts(started == 40 ? "taken" : "held");
    return 0;
}
