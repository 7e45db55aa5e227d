// Connects to a socket that has a name but no file.
// defence: network seccomp
// why: without a socket there is nothing to connect, and such names belong to a network
// proof: namespaces root
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path + 1, "@ABSTRACT@");
    int size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen("@ABSTRACT@");
    int wire = socket(AF_UNIX, SOCK_STREAM, 0);
    puts(wire >= 0 && connect(wire, (struct sockaddr *)&name, size) == 0 ? "taken" : "held");
    return 0;
}
