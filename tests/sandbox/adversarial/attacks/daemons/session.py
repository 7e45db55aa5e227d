# Leaves a process in a session of its own, which writes into the next case's work folder.
# defence: sweep
# cases: 2
import os
import time

number = int(input().split()[1])
if number == 0 and os.fork() == 0:
    os.setsid()
    os.close(1)
    os.close(2)
    until = time.monotonic() + 3
    while time.monotonic() < until:
        open("left", "w").close()
        time.sleep(0.01)
    os._exit(0)
time.sleep(0.2)
print("taken" if number and os.path.exists("left") else "held")
