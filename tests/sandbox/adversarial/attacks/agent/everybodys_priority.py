# Makes all processes of its user the last that get a CPU: the agent, neighbours, and the caller of a plain user.
# defence: seccomp
# cases: 2
import os

before = os.getpriority(os.PRIO_PROCESS, 0)
try:
    os.setpriority(os.PRIO_USER, 0, 19)
except OSError:
    pass
print("taken" if before == 19 else "held")
