# Changes the group of a file that belongs to its user.
# defence: seccomp
# proof: landlock
# seen: outside
chown(-1, $) + 0, "@SECRET@");
print "held\n";
