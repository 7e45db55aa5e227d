# Leaves an attribute on the work folder itself, which stays when it is emptied.
# defence: seccomp
# cases: 2
# proof: landlock
import os

try:
    print("taken" if "user.left" in os.listxattr(".") else "held")
    os.setxattr(".", "user.left", b"taken")
except OSError:
    pass
