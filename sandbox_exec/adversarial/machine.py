"""What a machine must have for some attacks to succeed; where it lacks that, nothing is there to be stopped."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import platform
import resource
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from tasklake.sandbox_exec.agent.syscalls import cpu_counter

LIBC = ctypes.CDLL(None, use_errno=True)
ENOSYS = 38
GET_FLAGS = 0x80086601


def _opens(family: str) -> bool:
    try:
        socket.socket(getattr(socket, family), socket.SOCK_STREAM).close()
    except (OSError, AttributeError):
        return False
    return True


def _call_known(number: int) -> bool:
    """True where the kernel knows the call, whatever it says to arguments that make no sense."""
    return LIBC.syscall(number, -1, -1, -1, -1, -1, -1) >= 0 or ctypes.get_errno() != ENOSYS


def _counted() -> bool:
    found = cpu_counter()
    if found >= 0:
        os.close(found)
    return found >= 0


def _setting(path: str) -> str:
    return Path(path).read_text() if os.path.exists(path) else ""


def _core_files() -> bool:
    piped = _setting("/proc/sys/kernel/core_pattern").startswith("|")
    return not piped and resource.getrlimit(resource.RLIMIT_CORE)[1] != 0


def _lent() -> bool:
    """True where mount is root's for everybody who executes it."""
    return os.path.exists("/usr/bin/mount") and bool(os.stat("/usr/bin/mount").st_mode & stat.S_ISUID)


def _flags() -> bool:
    """True where files of boxes that lie on a disk have flags."""
    with tempfile.TemporaryFile() as file, contextlib.suppress(OSError):
        return bool(fcntl.ioctl(file, GET_FLAGS, bytes(8)))
    return False


def _grows() -> bool:
    """True where a folder on a disk stays as large as it has been."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.stat(folder).st_size
        names = [f"{folder}/{number:0200}" for number in range(500)]
        for each in names:
            Path(each).touch()
        for each in names:
            os.unlink(each)
        return os.stat(folder).st_size != before


NEEDS: dict[str, Callable[[], bool]] = {
    "x86_64": lambda: platform.machine() == "x86_64",
    "vsock": lambda: _opens("AF_VSOCK"),
    "cpu_counter": _counted,
    "core_files": _core_files,
    "lockable_memory": lambda: not 0 <= resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] <= 4 << 20,
    "cachestat": lambda: _call_known(451),
    "setxattrat": lambda: _call_known(463),
    "perf_for_all": lambda: _setting("/proc/sys/kernel/perf_event_paranoid").strip() in ("-1", "0", "1", "2"),
    "io_uring_for_all": lambda: _setting("/proc/sys/kernel/io_uring_disabled").strip() in ("", "0"),
    "lent_privileges": _lent,
    "file_flags": _flags,
    "folders_grow": _grows,
    "two_cpus": lambda: len(os.sched_getaffinity(0)) > 1,
}


def lacking(needs: tuple[str, ...]) -> list[str]:
    """What of it this machine lacks."""
    return [each for each in needs if not NEEDS[each]()]
