// Becomes the debugger of the agent.
// defence: dumpable seccomp
// why: the call is refused, and without that, nobody may look into the agent
#include <stdio.h>
#include <sys/ptrace.h>
#include <unistd.h>
int main(void) {
    puts(ptrace(PTRACE_SEIZE, getppid(), 0, 0) == 0 ? "taken" : "held");
    return 0;
}
