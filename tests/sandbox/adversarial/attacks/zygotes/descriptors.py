# Looks for a way to whoever forked it among what it inherited, and tells the end of the run before it is there.
# defence: descriptors
# levels: namespaces
import os
import stat
import struct

found = []
for name in os.listdir("/proc/self/fd"):
    try:
        mode = os.fstat(int(name)).st_mode
    except OSError:
        continue
    if int(name) > 2 and (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode)):
        found.append(int(name))
for each in found:
    try:
        os.write(each, struct.pack("qqqq", 0, 0, 0, 0))
    except OSError:
        continue
print("taken" if found else "held")
