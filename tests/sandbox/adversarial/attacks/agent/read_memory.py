# Looks for the inputs of other cases in the agent's memory.
# defence: dumpable
# cases: 6
import os
import re
import sys

own = sys.stdin.buffer.readline().strip()
found = set()
try:
    with open(f"/proc/{os.getppid()}/maps") as maps, open(f"/proc/{os.getppid()}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(each, 16) for each in place.split("-"))
                memory.seek(start)
                found |= set(re.findall(rb"case \d [0-9a-f]{8}", memory.read(end - start)))
except OSError:
    pass
print("taken" if found - {own} else "held")
