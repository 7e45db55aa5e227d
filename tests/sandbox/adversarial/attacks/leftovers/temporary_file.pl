# Leaves a file in the folder for temporary files for the next case.
# defence: wipe
# cases: 2
my $path = "$ENV{TMPDIR}/left";
print -e $path ? "taken\n" : "held\n";
open(my $file, ">", $path);
