# Lowers the limits of a process of its user's.
# defence: seccomp
# proof: landlock
# seen: outside
import resource

try:
    resource.prlimit(int("@VICTIM@"), resource.RLIMIT_NOFILE, (20, 20))
except OSError:
    pass
print("held")
