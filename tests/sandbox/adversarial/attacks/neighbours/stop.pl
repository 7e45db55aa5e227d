# Stops a process of its user's.
# defence: landlock
# proof: landlock
# seen: outside
kill("STOP", int("@VICTIM@"));
print "held\n";
