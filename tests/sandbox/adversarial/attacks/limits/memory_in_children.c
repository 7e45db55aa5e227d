// Fills memory in several processes, none of which has much.
// defence: measures
// verdict: memory_limit
// seen: accepted
// limits: memory_bytes=67108864
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    for (int n = 0; n < 4; n++)
        if (fork() == 0) {
            char *much = malloc(40 << 20);
            memset(much, 1, 40 << 20);
            usleep(400000);
            _exit(much[n]);
        }
    while (wait(0) > 0) {}
    puts("held");
    return 0;
}
