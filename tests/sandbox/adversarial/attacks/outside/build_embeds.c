// Takes the bytes of a file that its user could read into the program while it is built.
// defence: landlock
// proof: landlock
// verdict: compile_error
#include <stdio.h>
extern const char found[];
__asm__(".section .rodata\nfound: .incbin \"@SECRET@\"\n.byte 0\n.text\n");
int main(void) {
    fputs(found, stdout);
    return 0;
}
