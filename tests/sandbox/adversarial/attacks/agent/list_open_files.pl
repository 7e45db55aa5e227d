# Lists the agent's open files, and with them everything that it could be spoken to through.
# defence: dumpable
use strict;
my @found = map { readlink($_) // () } glob("/proc/" . getppid() . "/fd/*");
print scalar(grep { /^socket:|^pipe:/ } @found) ? "taken\n" : "held\n";
