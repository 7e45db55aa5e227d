# Makes a folder large, and takes all of that away again: some disks keep the room.
# defence: wipe
# cases: 2
# proof: landlock
# needs: folders_grow
import os

top = os.environ["TMPDIR"]
print("taken" if os.stat(top).st_size > 8192 else "held")
for number in range(500):
    open(f"{top}/{number:0200}", "w").close()
for name in os.listdir(top):
    os.unlink(f"{top}/{name}")
