# Makes the agent, and so the next case, the last that gets a CPU.
# defence: seccomp
# cases: 2
my $before = getpriority(0, 0);
eval { setpriority(0, getppid(), 19) };
print $before == 19 ? "taken\n" : "held\n";
