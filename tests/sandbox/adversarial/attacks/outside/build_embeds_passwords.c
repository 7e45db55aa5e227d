// Takes the passwords of the machine's users into the program while it is built.
// defence: user
// proof: namespaces root
// verdict: compile_error
#include <stdio.h>
extern const char found[];
__asm__(".section .rodata\nfound: .incbin \"/etc/shadow\"\n.byte 0\n.text\n");
int main(void) {
    puts(found[0] ? "taken" : "held");
    return 0;
}
