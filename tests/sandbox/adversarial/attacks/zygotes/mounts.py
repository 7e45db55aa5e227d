# Takes away the list of its own processes, to see those that lie below it: the runtime that it was forked from.
# defence: seccomp capabilities
# why: the call is refused to all, and whoever has no privileges could not use it.
# levels: namespaces
import ctypes
import os

ctypes.CDLL(None).umount2(b"/proc", 2)
names = [name for name in os.listdir("/proc") if name.isdigit()]
print("taken" if len(names) > 2 else "held")
