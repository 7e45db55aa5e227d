# Executes a program that makes everybody root.
# defence: privileges landlock seccomp
# why: neither a filter nor Landlock can be had by whoever may still gain privileges
# proof: landlock plain
# needs: lent_privileges
import subprocess
import time

held = subprocess.Popen(["/usr/bin/su"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
users = []
for _ in range(20):
    # The program has begun a little before it has its privileges.
    time.sleep(0.005)
    with open(f"/proc/{held.pid}/status") as status:
        users = next(line for line in status if line.startswith("Uid:")).split()
    if users[2] == "0":
        break
print("taken" if users[2] == "0" and users[1] != "0" else "held")
held.stdin.close()
held.wait()
