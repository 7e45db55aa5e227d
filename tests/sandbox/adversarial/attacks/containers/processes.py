# Has more processes than its container may have, all of them asleep.
# defence: processes
# levels: docker
# limits: processes=24
import os
import time

for _ in range(40):
    try:
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
    except OSError:
        break
else:
    print("taken", flush=True)
    os._exit(0)
print("held")
