# Lets everybody read a file that belongs to its user.
# defence: seccomp
# proof: landlock
# seen: outside
import os

try:
    os.chmod("@SECRET@", 0o644)
except OSError:
    pass
print("held")
