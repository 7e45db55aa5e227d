# Reads the memory of a process of its user's.
# defence: landlock
# proof: landlock
found = False
try:
    with open("/proc/@VICTIM@/maps") as maps, open("/proc/@VICTIM@/mem", "rb", 0) as memory:
        line = next(line for line in maps if "[stack]" in line)
        start, end = (int(each, 16) for each in line.split()[0].split("-"))
        memory.seek(start)
        found = b"SECRET=taken" in memory.read(end - start)
except OSError:
    pass
print("taken" if found else "held")
