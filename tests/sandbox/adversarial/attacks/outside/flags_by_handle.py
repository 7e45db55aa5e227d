# Gives a file that it may only read flags: its own program stands for any that is its user's.
# defence: seccomp
# proof: landlock plain
# needs: file_flags
import fcntl
import os
import struct

GET, SET, GIVEN = 0x80086601, 0x40086602, 0xC0
handle = os.open("main.py", os.O_RDONLY)
try:
    (flags,) = struct.unpack("q", fcntl.ioctl(handle, GET, bytes(8)))
    fcntl.ioctl(handle, SET, struct.pack("q", flags | GIVEN))
    print("taken")
except OSError:
    print("held")
