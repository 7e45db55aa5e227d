"""Limits and a filter of system calls: what is left where neither namespaces nor Landlock are. Not a boundary."""

NAME = "process"
LEVEL = "landlock"
STRENGTH = 0
UNENFORCED: tuple[str, ...] = ("files", "disk", "processes", "process_list", "signals")
OFF: tuple[str, ...] = ("landlock",)
DOC = "limits and cleaning up only: the program reads the machine's files"
