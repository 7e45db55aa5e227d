# Has more files open than it may.
# defence: limits
# limits: open_files=64
my @held;
while (@held < 100) {
    open(my $file, "<", "/dev/null") or last;
    push @held, $file;
}
print @held == 100 ? "taken\n" : "held\n";
