# Goes up from parent to parent until it finds the runtime that it was forked from, which it could end.
# defence: processes
# levels: namespaces
import os

process, reached = os.getppid(), False
while process > 1:
    with open(f"/proc/{process}/stat") as file:
        process = int(file.read().rpartition(")")[2].split()[1])
    try:
        if process > 1:
            os.kill(process, 0)
            reached = True
    except OSError:
        pass
print("taken" if reached else "held")
