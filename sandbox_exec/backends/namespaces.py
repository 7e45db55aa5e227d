"""User, mount, pid, net, ipc and uts namespaces: works for root and for plain users where user namespaces are on.

Not covered yet: a system call filter.
"""

NAME = "namespaces"
# Without a system call filter the whole kernel can be attacked: strict, which is to hold everything, is 2.
STRENGTH = 1
ISOLATED = True
UNENFORCED: tuple[str, ...] = ("syscalls",)
DOC = "own file system, processes, network and ipc; no capabilities"
