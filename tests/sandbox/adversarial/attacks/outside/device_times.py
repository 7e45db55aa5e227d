# Touches a device, which is the machine's own and open to everybody.
# defence: read_only
# proof: namespaces
import contextlib
import os

handle = os.open("/dev/zero", os.O_WRONLY)
before = os.fstat(handle).st_mtime_ns
with contextlib.suppress(OSError):
    os.utime(handle)
os.write(handle, b"what is written goes nowhere, and is allowed")
print("held" if os.fstat(handle).st_mtime_ns == before else "taken")
