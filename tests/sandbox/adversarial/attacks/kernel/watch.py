# Watches who uses the machine's programs.
# defence: seccomp
import ctypes

libc = ctypes.CDLL(None)
print("taken" if libc.inotify_add_watch(libc.inotify_init(), b"/usr/bin", 0x20) >= 0 else "held")
