# Changes what the agent's and later cases' core dumps would hold.
# defence: dumpable
# cases: 2
use strict;
sub value { open(my $file, "<", "/proc/self/coredump_filter") or return 0; return hex(<$file>); }
my $before = value();
if (open(my $file, ">", "/proc/" . getppid() . "/coredump_filter")) {
    print $file "0x7f";
    close($file);
}
print $before == 0x7f ? "taken\n" : "held\n";
