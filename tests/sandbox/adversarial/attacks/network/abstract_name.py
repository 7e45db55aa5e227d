# Connects to a socket that has a name but no file, where it shares the machine's network.
# defence: landlock seccomp
# why: without a socket there is nothing to connect, and newer versions of Landlock allow no such name either
# proof: landlock
import socket

try:
    wire = socket.socket(socket.AF_UNIX)
    wire.connect("\0@ABSTRACT@")
    print("taken")
except OSError:
    print("held")
