// Ends a process of its user's by a signal that the kernel sends when something can be read.
// defence: landlock
// proof: landlock
// seen: outside
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    int ends[2];
    if (pipe(ends)) return 2;
    fcntl(ends[0], F_SETOWN, @VICTIM@);
    fcntl(ends[0], F_SETSIG, SIGTERM);
    fcntl(ends[0], F_SETFL, O_ASYNC);
    puts(write(ends[1], "x", 1) == 1 ? "held" : "failed");
    return 0;
}
