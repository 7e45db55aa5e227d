"""User, mount, pid, net, ipc and uts namespaces: works for root and for plain users where user namespaces are on.

Not covered yet: a system call filter.
"""

NAME = "namespaces"
STRENGTH = 2
UNENFORCED: tuple[str, ...] = ()
DOC = "own file system, processes, network and ipc; no capabilities"
