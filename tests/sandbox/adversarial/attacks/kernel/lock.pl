# Locks a file of the machine, which everybody can see and who wants the lock waits for.
# defence: seccomp
use strict;
open(my $file, "<", "/etc/passwd") or die;
print flock($file, 6) ? "taken\n" : "held\n";
