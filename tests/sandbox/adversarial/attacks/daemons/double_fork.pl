# Leaves a process whose parent and grandparent are gone.
# defence: sweep
# cases: 2
use strict;
my $found = 0;
for my $path (glob("/proc/[0-9]*/cmdline")) {
    open(my $file, "<", $path) or next;
    $found ||= (<$file> // "") =~ /^@TOKEN@/;
}
if (fork() == 0) {
    if (fork() == 0) {
        close(STDOUT);
        exec {"/bin/sleep"} "@TOKEN@", "3";
    }
    exit(0);
}
wait();
select(undef, undef, undef, 0.1);
print $found ? "taken\n" : "held\n";
