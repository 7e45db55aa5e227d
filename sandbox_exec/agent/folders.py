"""The folders that candidates write to: emptied whatever lies in them, and taken away with their agent."""

from __future__ import annotations

import os
import stat

from tasklake.sandbox_exec.agent import syscalls as linux
from tasklake.sandbox_exec.agent.tree import end_descendants

# The folders that candidates write to are theirs alone.
SCRATCH_MODE = 0o700


def keep_folder(folder: str) -> None:
    """Returns in a child; this process waits for it, ends what it left, and takes the folder away."""
    linux.prctl(linux.SUBREAPER, 1)
    pid = os.fork()
    if pid == 0:
        return
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.waitpid(pid, 0)
    end_descendants()
    empty(folder)
    os.rmdir(folder)
    os._exit(0)


def empty(folder: str) -> None:
    """Nothing is left in the folder, however deep and however closed it was; raises OSError when that cannot be."""
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in os.listdir(top):
            if stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
                remove_folder(top, name)
            else:
                os.unlink(name, dir_fd=top)
    finally:
        os.close(top)


def remove_folder(top: int, name: str) -> None:
    """The folder is gone. What lies in it is first brought to the top: no depth is too much then."""
    waiting = [name]
    while waiting:
        name = waiting.pop()
        within = open_folder(name, top)
        try:
            for each in os.listdir(within):
                if not stat.S_ISDIR(os.lstat(each, dir_fd=within).st_mode):
                    os.unlink(each, dir_fd=within)
                    continue
                os.close(open_folder(each, within))
                waiting.append(f".{os.urandom(16).hex()}")
                os.rename(each, waiting[-1], src_dir_fd=within, dst_dir_fd=top)
        finally:
            os.close(within)
        os.rmdir(name, dir_fd=top)


def open_folder(name: str, above: int) -> int:
    """The folder, open; one that its owner closed to himself is opened first, where changing that is allowed."""
    if os.lstat(name, dir_fd=above).st_mode & SCRATCH_MODE != SCRATCH_MODE:
        os.chmod(name, SCRATCH_MODE, dir_fd=above)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
