"""Landlock, a filter of system calls and limits, without namespaces: works inside a container and for plain users."""

from tasklake.sandbox_exec.agent.syscalls import landlock_version

NAME = "landlock"
LEVEL = "landlock"
STRENGTH = 1
# Other processes cannot be signalled from version 6 on.
UNENFORCED: tuple[str, ...] = ("disk", "processes", "process_list", *(("signals",) if landlock_version() < 6 else ()))
OFF: tuple[str, ...] = ()
# Nothing is shown to a candidate that his user may not reach: a root's candidates are nobody's.
OWN_EYES = True
DOC = "files of its own folder alone, no network, no ipc, no signals outside; sees that other processes exist"
