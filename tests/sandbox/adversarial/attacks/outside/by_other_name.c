// Gives a file that its user could read a name in its own folder.
// defence: landlock
// proof: landlock
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
int main(void) {
    char text[64] = "held\n";
    FILE *file = link("@SECRET@", "here") == 0 ? fopen("here", "r") : 0;
    if (file) fgets(text, sizeof text, file);
    fputs(text, stdout);
    return 0;
}
