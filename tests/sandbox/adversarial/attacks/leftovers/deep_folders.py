# Leaves folders within folders, deeper than any path is long and than any recursion goes.
# defence: wipe
# cases: 2
import os

print("taken" if os.path.exists("left") else "held", flush=True)
for _ in range(1100):
    os.mkdir("left")
    os.chdir("left")
