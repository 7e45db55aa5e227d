# Gives a file that belongs to its user an attribute.
# defence: seccomp
# proof: landlock
# seen: outside
import os

try:
    os.setxattr("@SECRET@", "user.left", b"taken")
except OSError:
    pass
print("held")
