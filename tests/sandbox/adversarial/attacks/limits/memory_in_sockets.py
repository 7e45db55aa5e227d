# Fills memory with what nobody reads from pairs of sockets.
# defence: measures
# levels: namespaces docker
# verdict: memory_limit
# seen: accepted
# limits: memory_bytes=67108864
import socket
import time

pairs = []
for _ in range(400):
    pairs.append(socket.socketpair())
    for end in pairs[-1]:
        end.setblocking(False)
        try:
            while True:
                end.send(b"x" * 65536)
        except BlockingIOError:
            pass
time.sleep(0.05)
print("held")
