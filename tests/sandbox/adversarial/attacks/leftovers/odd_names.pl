# Leaves names that are no text: a line's end, a byte that is no UTF-8, one as long as can be, a dot in front.
# defence: wipe
# cases: 2
my @names = ("a\nb", "\xff\xfe", "-rf", ".hidden", " ", "x" x 255);
print scalar(grep { -e } @names) ? "taken\n" : "held\n";
for (@names) { open(my $file, ">", $_); }
