# Makes another folder its root, from where nothing of the box is in sight.
# defence: seccomp
import ctypes
import os

ctypes.CDLL(None).unshare(0x10000000)
try:
    os.chroot("/usr")
    print("taken")
except OSError:
    print("held")
