# Makes a file that is the machine's memory of nothing; it could be that of a disk.
# defence: user capabilities
# why: only root could have a capability, and root here has none
# proof: namespaces root
import os
import stat

try:
    os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    print("taken")
except OSError:
    print("held")
