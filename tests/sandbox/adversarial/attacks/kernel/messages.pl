# Leaves a message in a queue of the kernel's for the next case.
# defence: seccomp
# cases: 2
my ($queue, $told) = (msgget(77, 01600), "");
msgrcv($queue, $told, 5, 0, 04000) if defined($queue);
print $told ? "taken\n" : "held\n";
msgsnd($queue, pack("l! a*", 1, "taken"), 0) if defined($queue);
