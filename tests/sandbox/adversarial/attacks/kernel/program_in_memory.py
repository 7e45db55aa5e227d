# Executes a program that lies in no folder.
# defence: seccomp
import os
import sys

try:
    file = os.memfd_create("taken", 0)
except OSError:
    print("held")
    sys.exit()
with open("/bin/echo", "rb") as program:
    os.write(file, program.read())
os.execv(f"/proc/self/fd/{file}", ["echo", "taken"])
