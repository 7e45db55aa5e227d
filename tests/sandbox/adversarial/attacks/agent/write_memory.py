# Writes into the agent's memory what the next case gets as its environment.
# defence: dumpable
# cases: 2
import os

before = os.environ["TERM"]
try:
    with open(f"/proc/{os.getppid()}/maps") as maps, open(f"/proc/{os.getppid()}/mem", "r+b", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in place.split("-"))
            memory.seek(start)
            data = memory.read(end - start)
            at = data.find(b"dumb\0")
            while at >= 0:
                memory.seek(start + at)
                memory.write(b"numb")
                at = data.find(b"dumb\0", at + 1)
except OSError:
    pass
print("taken" if before == "numb" else "held")
