# Executes a program that makes everybody root.
# defence: privileges landlock seccomp
# why: neither a filter nor Landlock can be had by whoever may still gain privileges
# proof: landlock plain
# needs: lent_privileges
import subprocess

held = subprocess.Popen(["/usr/bin/su"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    with open(f"/proc/{held.pid}/status") as status:
        users = next(line for line in status if line.startswith("Uid:")).split()
    print("taken" if users[2] == "0" and users[1] != "0" else "held")
except (OSError, StopIteration):
    print("held")
held.stdin.close()
held.wait()
