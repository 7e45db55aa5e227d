# Decides which CPUs the agent, and so the next case, may use.
# defence: seccomp
import os

try:
    os.sched_setaffinity(os.getppid(), os.sched_getaffinity(os.getppid()))
    print("taken")
except OSError:
    print("held")
