"""A fresh box for one step, made from namespaces by a freshly forked child: runs inside the agent, never in a caller.

The child gets a user, mount, pid, net, ipc and uts namespace of its own, a file system of read-only system folders and
empty scratch, no capabilities and no way to get any; a first process that is not the candidate reaps whatever is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from typing import NoReturn

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
NAMESPACES = NEWNS | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET
RDONLY, NOSUID, NODEV, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PDEATHSIG, DUMPABLE, SUBREAPER, KEEPCAPS, NO_NEW_PRIVS, SECUREBITS, CAPBSET_DROP = 1, 4, 36, 8, 38, 28, 24
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
# Whom a candidate is inside the box, and whom a box made by root is outside of it.
INSIDE, NOBODY = 1000, 65534
# What a program of the system needs; nothing of the users' files, and never the lake.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt")
DEVICES = ("null", "zero", "full", "random", "urandom")
LAST_CAPABILITY = 63
NO_ROOT_EVER = 0x2F  # SECBIT_NOROOT, NO_SETUID_FIXUP, their locks, and KEEP_CAPS locked off


def call(result: int, what: str) -> None:
    """Raises when a system call said no."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def prctl(option: int, *arguments: int) -> None:
    """The process attribute is set."""
    padded = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    call(LIBC.prctl(option, *padded), f"prctl {option}")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """The mount is there."""
    encoded = [text.encode() if text else None for text in (source, target, kind)]
    call(LIBC.mount(*encoded, ctypes.c_ulong(flags), data.encode() or None), f"mount {target}")


def enter(ready: int, go: int) -> None:
    """This process is in namespaces of its own; a privileged agent maps its users between `ready` and `go`."""
    outer_user, outer_group = os.geteuid(), os.getegid()
    call(LIBC.unshare(NAMESPACES), "unshare")
    os.write(ready, b"1")
    if os.read(go, 1) != b"1":
        raise OSError(errno.EPERM, "the agent could not map users")
    if outer_user != 0:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{INSIDE} {outer_user} 1")
        write("/proc/self/gid_map", f"{INSIDE} {outer_group} 1")
        return
    prctl(KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(INSIDE, INSIDE, INSIDE)
    os.setresuid(INSIDE, INSIDE, INSIDE)
    capabilities(effective=True)


def map_users(pid: int) -> None:
    """A box made by root is nobody outside: its files and processes are not root's."""
    if os.geteuid() == 0:
        write(f"/proc/{pid}/setgroups", "allow")
        write(f"/proc/{pid}/uid_map", f"{INSIDE} {NOBODY} 1")
        write(f"/proc/{pid}/gid_map", f"{INSIDE} {NOBODY} 1")


def write(path: str, text: str) -> None:
    """The file holds the text."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def capabilities(effective: bool) -> None:
    """All permitted capabilities are effective, or none is left for good."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    if effective:
        call(LIBC.capget(header, sets), "capget")
        sets[0], sets[3] = sets[1], sets[4]
    call(LIBC.capset(header, sets), "capset")


def furnish(root: str, work: str, scratch_bytes: int, writable: bool, extra: Sequence[str]) -> None:
    """The root of this mount namespace is a small read-only tree with the step's folder at /work and an empty /tmp."""
    mount("", "/", "", REC | PRIVATE)
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "mode=755,size=1m")
    for name in (*SYSTEM, *extra):
        place(name, root + name)
    for name in ("dev", "proc", "tmp", "work", ".old"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    for name in DEVICES:
        os.close(os.open(f"{root}/dev/{name}", os.O_CREAT | os.O_WRONLY))
        mount(f"/dev/{name}", f"{root}/dev/{name}", "", BIND)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
    for name in ("tmp", "dev/shm"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
        mount("tmpfs", f"{root}/{name}", "tmpfs", NOSUID | NODEV, f"mode=1777,size={scratch_bytes}")
    if writable:
        mount(work, f"{root}/work", "", BIND)
    else:
        mount("tmpfs", f"{root}/work", "tmpfs", NOSUID | NODEV, f"mode=755,size={scratch_bytes + tree_bytes(work)}")
        shutil.copytree(work, f"{root}/work", dirs_exist_ok=True, symlinks=True)
    machine = os.uname().machine
    call(LIBC.syscall(PIVOT_ROOT[machine], root.encode(), f"{root}/.old".encode()), "pivot_root")
    os.chdir("/work")


def close_door() -> None:
    """Only this box's processes are in /proc, the old root is gone, and nothing of the new one can be changed."""
    # A new proc may be mounted only while an old one is still in sight.
    mount("proc", "/proc", "proc", NOSUID | NODEV | 8)
    call(LIBC.umount2(b"/.old", 2), "umount")
    mount("", "/", "", REMOUNT | BIND | RDONLY | NOSUID | NODEV)


def tree_bytes(folder: str) -> int:
    """What a copy of the folder needs, in whole pages."""
    sizes = [os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names]
    return sum(size + 4096 for size in sizes)


def place(source: str, target: str) -> None:
    """The system folder is visible and cannot be changed; a link stays a link."""
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    elif os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
        mount(source, target, "", BIND | REC)
        # A mount that came from outside keeps the flags it has there; only more can be added.
        kept = os.statvfs(target).f_flag & (NOSUID | NODEV | 8 | 1024 | 2048 | 4096)
        flags = (kept & 15) | (1024 if kept & 1024 else 0) | (2048 if kept & 2048 else 0)
        relatime = 1 << 21 if kept & 4096 else 0
        mount("", target, "", REMOUNT | BIND | RDONLY | NOSUID | flags | relatime)


def become_nobody() -> None:
    """Root never runs a candidate, not even without a box: this process is nobody and holds no capability."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    capabilities(effective=False)
    prctl(NO_NEW_PRIVS, 1)


def first_process(candidate: Callable[[], NoReturn]) -> int | None:
    """Runs `candidate` in a child under a first process that reaps everything, and yields its wait status and usage."""
    pid = os.fork()
    if pid == 0:
        candidate()
    status = None
    while True:
        try:
            ended, code = os.waitpid(-1, 0)
        except ChildProcessError:
            break
        if ended == pid:
            status = code
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
    return status


def lock() -> None:
    """No capability is left and none can be had; nothing gains privileges by exec."""
    for number in range(LAST_CAPABILITY):
        if LIBC.prctl(CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0) < 0:
            break
    LIBC.prctl(SECUREBITS, ctypes.c_ulong(NO_ROOT_EVER), 0, 0, 0)
    capabilities(effective=False)
    prctl(NO_NEW_PRIVS, 1)


def children(pid: int) -> list[int]:
    """The direct children of a process, of all its threads."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        pass
    return found


def descendants(pid: int) -> list[int]:
    """The process and everything below it."""
    found: list[int] = []
    todo = [pid]
    while todo:
        at = todo.pop()
        found.append(at)
        todo += children(at)
    return found
