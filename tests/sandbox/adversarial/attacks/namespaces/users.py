# Makes a namespace of users, in which it is root.
# defence: seccomp
import ctypes

print("taken" if ctypes.CDLL(None).unshare(0x10000000) == 0 else "held")
