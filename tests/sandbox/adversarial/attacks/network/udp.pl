# Sends a datagram to a server of the machine.
# defence: seccomp
# proof: landlock
# seen: outside
use strict;
use Socket;
if (socket(my $wire, PF_INET, SOCK_DGRAM, 0)) {
    send($wire, "taken", 0, pack_sockaddr_in(int("@UDP@"), inet_aton("127.0.0.1")));
}
print "held\n";
