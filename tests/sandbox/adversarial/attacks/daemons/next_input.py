# Leaves a process that takes away the input of whatever program comes next.
# defence: sweep
# seen: next
import os
import time

print("held", flush=True)
if os.fork() == 0:
    os.setsid()
    os.close(0)
    os.close(1)
    until = time.monotonic() + 3
    while time.monotonic() < until:
        for pid in os.listdir("/proc"):
            if pid.isdigit() and int(pid) > os.getpid():
                try:
                    given = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
                    os.read(given, 100)
                    os.close(given)
                except OSError:
                    pass
        time.sleep(0.002)
    os._exit(0)
