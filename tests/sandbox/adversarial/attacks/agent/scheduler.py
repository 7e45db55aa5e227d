# Gives the agent, and so the next case, another scheduler.
# defence: seccomp
# cases: 2
import os

before = os.sched_getscheduler(0)
try:
    os.sched_setscheduler(os.getppid(), os.SCHED_BATCH, os.sched_param(0))
except OSError:
    pass
print("taken" if before == os.SCHED_BATCH else "held")
