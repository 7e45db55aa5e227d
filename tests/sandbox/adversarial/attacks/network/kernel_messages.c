// Opens a socket to the kernel itself, which manages networks.
// defence: seccomp
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>
int main(void) {
    struct sockaddr_nl name = {.nl_family = AF_NETLINK};
    int wire = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    puts(wire >= 0 && bind(wire, (struct sockaddr *)&name, sizeof name) == 0 ? "taken" : "held");
    return 0;
}
