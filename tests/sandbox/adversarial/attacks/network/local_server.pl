# Becomes a server that its neighbours and the next case could talk to.
# defence: seccomp
use strict;
use Socket;
my $wire;
print socket($wire, PF_UNIX, SOCK_STREAM, 0) && bind($wire, pack_sockaddr_un("\0left")) && listen($wire, 1)
    ? "taken\n" : "held\n";
