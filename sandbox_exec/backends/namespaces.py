"""User, mount, pid, net, ipc and uts namespaces: works for root and for plain users where user namespaces are on."""

NAME = "namespaces"
LEVEL = "namespaces"
STRENGTH = 2
UNENFORCED: tuple[str, ...] = ()
# Walls that this level does without.
OFF: tuple[str, ...] = ()
# A run can be a fork of a runtime that lies outside of its namespaces.
ZYGOTES = True
DOC = "own file system, processes, network and ipc; no capabilities; a filter of system calls"
