// Leaves a socket's name and a fifo, made as files are, without any socket.
// defence: wipe
// cases: 2
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    puts(access("left", F_OK) == 0 ? "taken" : "held");
    mknod("left", S_IFSOCK | 0600, 0);
    mknod("there", S_IFIFO | 0600, 0);
    return 0;
}
