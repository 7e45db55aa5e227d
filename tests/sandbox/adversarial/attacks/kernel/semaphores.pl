# Leaves semaphores that have a number and no name for the next case.
# defence: seccomp
# cases: 2
print defined(semget(77, 1, 0)) ? "taken\n" : "held\n";
semget(77, 1, 01600);
