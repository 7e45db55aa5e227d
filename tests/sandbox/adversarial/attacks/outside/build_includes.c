// Takes a file that its user could read into the program while it is built.
// defence: landlock
// proof: landlock
// verdict: compile_error
#include <stdio.h>
enum { held, taken };
int main(void) {
    int found =
#include "@SECRET@"
    ;
    puts(found == taken ? "taken" : "held");
    return 0;
}
