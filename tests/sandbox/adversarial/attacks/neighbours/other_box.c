// Enters the box of a neighbour: at the least there is the one that this was built in.
// defence: landlock
// proof: landlock
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    char own[PATH_MAX], other[PATH_MAX];
    DIR *all = opendir("/tmp");
    struct dirent *each;
    int found = 0;
    if (!getcwd(own, sizeof own)) return 2;
    while (all && (each = readdir(all))) {
        snprintf(other, sizeof other, "/tmp/%s/work", each->d_name);
        found = found || (!strncmp(each->d_name, "tasklake-box-", 13) && strcmp(other, own) && opendir(other));
    }
    puts(found ? "taken" : "held");
    return 0;
}
