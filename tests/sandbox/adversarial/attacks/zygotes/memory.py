# Reads the memory of the first process of its namespace, which was forked from the same runtime and waits for it.
# defence: dumpable capabilities
# why: one keeps a process from others of its user, the other from those with fewer privileges than its own.
# levels: namespaces
import os

try:
    with open(f"/proc/{os.getppid()}/maps") as maps, open(f"/proc/{os.getppid()}/mem", "rb", 0) as memory:
        place = next(line for line in maps if " rw" in line).split("-")[0]
        memory.seek(int(place, 16))
        print("taken" if memory.read(8) else "held")
except OSError:
    print("held")
