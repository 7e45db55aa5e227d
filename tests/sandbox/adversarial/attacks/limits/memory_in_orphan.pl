# Fills memory in a process whose parent has ended.
# defence: measures
# verdict: memory_limit
# seen: accepted
# limits: memory_bytes=67108864
use strict;
pipe(my $given, my $kept);
if (fork() == 0) {
    exit(0) if fork();
    my $megabytes = 120;
    my $much = "x" x ($megabytes << 20);
    select(undef, undef, undef, 0.3);
    exit(0);
}
close($kept);
read($given, my $none, 1);
print "held\n";
