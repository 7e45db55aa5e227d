# Opens a file that a process of its user's has open.
# defence: landlock
# proof: landlock
open(my $file, "<", "/proc/@VICTIM@/fd/9") or print "held\n" and exit;
print <$file>;
