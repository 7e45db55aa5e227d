# Leaves a word in the times of a folder, in which nothing else is left.
# defence: wipe
# cases: 2
import os

folder = os.open(os.environ["TMPDIR"], os.O_RDONLY)
print("taken" if os.fstat(folder).st_mtime == 4343434343 else "held")
os.utime(folder, (4242424242, 4343434343))
