# Leaves flags on a folder: do not dump, do not note when it is read.
# defence: seccomp
# cases: 2
# proof: landlock
# needs: file_flags
import fcntl
import os
import struct

GET, SET, LEFT = 0x80086601, 0x40086602, 0xC0
folder = os.open(os.environ["TMPDIR"], os.O_RDONLY)
try:
    (flags,) = struct.unpack("q", fcntl.ioctl(folder, GET, bytes(8)))
    print("taken" if flags & LEFT == LEFT else "held")
    fcntl.ioctl(folder, SET, struct.pack("q", flags | LEFT))
except OSError:
    print("held")
