# Has itself told by a signal when somebody reads a folder of the machine's.
# defence: seccomp
import fcntl
import os

try:
    fcntl.fcntl(os.open("/usr/bin", os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)
    print("taken")
except OSError:
    print("held")
