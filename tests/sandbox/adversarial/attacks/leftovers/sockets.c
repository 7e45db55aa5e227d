// Leaves sockets that hold one another, and so what was sent over them, when all of its processes have ended.
// defence: wipe
// levels: namespaces docker
// cases: 2
// limits: memory_bytes=1073741824
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
static void send_itself(int over, int which) {
    char part[CMSG_SPACE(sizeof which)] = {0};
    struct iovec text = {"x", 1};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = part, .msg_controllen = sizeof part};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof which);
    memcpy(CMSG_DATA(head), &which, sizeof which);
    sendmsg(over, &message, 0);
}
static int left(void) {
    int found = 0;
    FILE *file = fopen("/proc/net/sockstat", "r");
    return file && fscanf(file, "sockets: used %d", &found) == 1 && found >= 100;
}
int main(void) {
    // What is there counts as the memory of whoever runs next.
    puts(left() ? "taken" : "held");
    for (int n = 0; n < 480; n++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) break;
        send_itself(pair[0], pair[0]);
        send_itself(pair[1], pair[1]);
        send_itself(pair[0], STDOUT_FILENO);
    }
    return 0;
}
