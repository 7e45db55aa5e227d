# Leaves a hint on a folder: how long what is written there will live.
# defence: seccomp
# cases: 2
import fcntl
import os
import struct

GET, SET, LEFT = 1035, 1036, struct.pack("Q", 3)
folder = os.open(os.environ["TMPDIR"], os.O_RDONLY)
try:
    print("taken" if fcntl.fcntl(folder, GET, bytes(8)) == LEFT else "held")
    fcntl.fcntl(folder, SET, LEFT)
except OSError:
    pass
