# Writes into a folder that its user could write to.
# defence: landlock
# proof: landlock
# seen: outside
open(my $file, ">", "@FOLDER@/left");
print "held\n";
