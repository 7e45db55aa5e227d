// Takes far more memory than it may, in children that nobody waits for.
// defence: memory measures
// why: what is seen of it ends it before the container is full
// levels: docker
// seen: accepted
// verdict: memory_limit
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    int done[2];
    char byte;
    signal(SIGCHLD, SIG_IGN);
    if (pipe(done) != 0) return 1;
    for (int n = 0; n < 9; n++)
        if (fork() == 0) {
            memset(malloc(200 << 20), 1, 200 << 20);
            write(done[1], "", 1);
            pause();
        }
    close(done[1]);
    for (int n = 0; n < 9; n++) read(done[0], &byte, 1);
    puts("held");
    return 0;
}
