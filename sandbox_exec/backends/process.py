"""A process group of its own with inherited limits: what is left where no namespace can be made. Not a boundary."""

NAME = "process"
STRENGTH = 0
ISOLATED = False
UNENFORCED: tuple[str, ...] = ("network", "files", "processes")
DOC = "limits and cleaning up only: the program sees the machine's files and network"
