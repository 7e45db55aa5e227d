# Leaves links to itself, to nothing and to the machine's files where the next case may write.
# defence: wipe
# cases: 2
print -l "answer" ? "taken\n" : "held\n";
symlink("/etc/passwd", "answer");
symlink("there", "there");
symlink("/", "all");
symlink("/nowhere", "$ENV{TMPDIR}/again");
