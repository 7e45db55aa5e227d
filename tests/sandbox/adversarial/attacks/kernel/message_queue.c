// Leaves a message in a queue with a name for the next case.
// defence: seccomp
// cases: 2
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
int main(void) {
    puts(mq_open("/left", O_RDONLY) >= 0 ? "taken" : "held");
    mq_open("/left", O_CREAT | O_RDWR, 0600, 0);
    return 0;
}
