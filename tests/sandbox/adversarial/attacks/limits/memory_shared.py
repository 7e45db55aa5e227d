# Fills memory that several processes share.
# defence: measures
# verdict: memory_limit
# seen: accepted
# limits: memory_bytes=67108864
import mmap
import os
import time

shared = mmap.mmap(-1, 160 << 20)
given, kept = os.pipe()
# Whoever is waited for is in the kernel's sums.
if os.fork() == 0:
    for _ in range(160):
        shared.write(b"x" * (1 << 20))
    time.sleep(0.2)
    os._exit(0)
os.close(kept)
os.read(given, 1)
print("held")
