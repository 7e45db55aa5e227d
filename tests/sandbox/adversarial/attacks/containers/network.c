// Speaks to a server on the machine that its container runs on.
// defence: network seccomp landlock
// why: the filter lends no socket, and Landlock none that speaks
// levels: docker
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
int main(void) {
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(@TCP@), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int made = socket(AF_INET, SOCK_STREAM, 0);
    puts(made >= 0 && connect(made, (struct sockaddr *)&there, sizeof there) == 0 ? "taken" : "held");
    return 0;
}
