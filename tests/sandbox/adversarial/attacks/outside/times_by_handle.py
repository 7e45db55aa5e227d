# Makes a file that it may only read look old, by an open handle: its own program stands for any that is its user's.
# defence: seccomp
# proof: landlock plain
import contextlib
import os

handle = os.open("main.py", os.O_RDONLY)
with contextlib.suppress(OSError):
    os.utime(handle, (4242424242, 4343434343))
print("taken" if os.fstat(handle).st_mtime == 4343434343 else "held")
