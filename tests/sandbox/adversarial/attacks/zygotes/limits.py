# Gives the first process of its namespace a limit that ends it, and with it the run, before anybody could measure it.
# defence: seccomp
# levels: namespaces
import os
import resource

try:
    resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))
    print("taken")
except OSError:
    print("held")
