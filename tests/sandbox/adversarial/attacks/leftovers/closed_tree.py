# Leaves closed folders within closed folders, with files in them, and a closed file.
# defence: wipe
# cases: 2
import os

print("taken" if os.path.lexists("left") else "held")
os.umask(0)
# Made open, filled through a handle, and closed by moving it below a folder that is closed.
os.makedirs("left/a/b/c", exist_ok=True)
os.close(os.open("left/a/b/c/file", os.O_CREAT | os.O_WRONLY, 0))
os.mkdir("left/a/closed", 0)
os.mkdir("left/a/b/read_only", 0o555)
os.mkdir("left/a/b/unseen", 0o333)
open("left/a/b/unseen/file", "w").close()
