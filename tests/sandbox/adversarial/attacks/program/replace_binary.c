// Puts another program in the place of the one that was built, for the next case.
// defence: program
// cases: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) {
    char path[PATH_MAX];
    if (!realpath("main", path)) return 2;
    int made = unlink(path) == 0 ? open(path, O_CREAT | O_WRONLY, 0755) : -1;
    if (made >= 0) dprintf(made, "#!/bin/sh\necho taken\n");
    puts("held");
    return 0;
}
