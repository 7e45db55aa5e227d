// Becomes the debugger of a process of its user's.
// defence: landlock seccomp
// why: the call is refused, and who is bound by Landlock may look into nobody who is not
// proof: landlock
#include <stdio.h>
#include <sys/ptrace.h>
int main(void) {
    puts(ptrace(PTRACE_SEIZE, @VICTIM@, 0, 0) == 0 ? "taken" : "held");
    return 0;
}
