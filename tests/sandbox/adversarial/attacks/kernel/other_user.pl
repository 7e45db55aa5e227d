# Becomes another user of the machine.
# defence: user capabilities
# why: only root could have a capability, and root here has none
# proof: namespaces root
use POSIX;
print POSIX::setuid(12345) && $< == 12345 ? "taken\n" : "held\n";
