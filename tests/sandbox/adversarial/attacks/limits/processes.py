# Has more processes than it may, all of them asleep.
# defence: limits
# levels: namespaces docker
# limits: processes=24
import os
import time

started = 0
try:
    for _ in range(40):
        if os.fork() == 0:
            time.sleep(0.3)
            os._exit(0)
        started += 1
except OSError:
    pass
print("taken" if started == 40 else "held")
