// Gets a handle of a folder, with which one opens what lies outside of every mount.
// defence: seccomp
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
int main(void) {
    struct { struct file_handle head; char rest[128]; } found = {.head.handle_bytes = 128};
    int mount;
    puts(name_to_handle_at(AT_FDCWD, "/usr", &found.head, &mount, 0) == 0 ? "taken" : "held");
    return 0;
}
