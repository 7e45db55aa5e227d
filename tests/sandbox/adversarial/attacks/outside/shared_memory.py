# Leaves a file in the machine's shared memory for the next case.
# defence: landlock
# proof: landlock
# cases: 2
import os

print("taken" if os.path.exists("/dev/shm/@TOKEN@") else "held")
try:
    open("/dev/shm/@TOKEN@", "w").close()
except OSError:
    pass
