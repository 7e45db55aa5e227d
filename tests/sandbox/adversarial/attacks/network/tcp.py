# Connects to a server of the machine.
# defence: network seccomp
# why: without a socket there is nothing to connect, and in a network of its own there is nobody to connect to
# proof: namespaces root
import socket

try:
    socket.create_connection(("127.0.0.1", int("@TCP@")), 2).close()
    print("taken")
except OSError:
    print("held")
