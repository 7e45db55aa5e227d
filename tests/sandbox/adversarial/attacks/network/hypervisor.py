# Opens a socket to the machine that this machine runs on.
# defence: seccomp
# needs: vsock
import socket

try:
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    print("taken")
except OSError:
    print("held")
