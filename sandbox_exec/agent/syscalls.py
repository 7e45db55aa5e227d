"""The Linux calls that Python's own library lacks: each raises OSError when the kernel says no."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
FS = 0x200
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
PDEATHSIG, DUMPABLE, KEEPCAPS, CAPBSET_DROP, SECUREBITS, SUBREAPER, NO_NEW_PRIVS, AMBIENT = 1, 4, 8, 24, 28, 36, 38, 47
AMBIENT_CLEAR_ALL = 4
# SECBIT_NOROOT and SECBIT_NO_SETUID_FIXUP with their locks, SECBIT_KEEP_CAPS locked off: user 0 gains nothing by exec.
NO_ROOT_EVER = 0x2F
# Kernels of today know 41 capabilities; dropping one that does not exist ends the loop.
CAPABILITIES = range(64)
CAPABILITY_VERSION_3 = 0x20080522
# These have numbers of their own on each machine: pivot_root, setresuid, setresgid, perf_event_open.
NUMBERS = {"x86_64": (155, 117, 119, 298), "aarch64": (41, 147, 149, 241)}
# These have one number for all machines.
MOUNT_SETATTR, LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 442, 444, 445, 446
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
MNT_DETACH = 2
SECCOMP_MODE_FILTER, SET_SECCOMP = 2, 22
LANDLOCK_VERSION, LANDLOCK_PATH_BENEATH = 1, 1
# What a program may do to files at all, per version of Landlock: the first that knows each right.
LANDLOCK_FS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
LANDLOCK_TCP, LANDLOCK_SCOPES = 0b11, 0b11
READ_AND_EXECUTE = 0b1101  # execute, read a file, list a folder
# perf_event_attr: a counter of the kernel's own kind, 64 bytes of description, which counts nanoseconds on a CPU; what
# is started inherits it. Plain users may not ask for the kernel's or the host's part, which this kind counts anyway.
COUNTER, CLOSE_ON_EXEC = (1, 64, 1, 0, 0, 0, 1 << 1 | 1 << 5 | 1 << 6, 0, 0), 8


def checked(result: int, what: str) -> int:
    """The result of a call that succeeded."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def numbers() -> tuple[int, int, int, int]:
    """The numbers of calls that differ between machines."""
    machine = platform.machine()
    if machine not in NUMBERS:
        raise OSError(f"boxes are not known on {machine}")
    return NUMBERS[machine]


def prctl(option: int, *arguments: int) -> None:
    """The attribute of this thread or process is set."""
    padded = [ctypes.c_ulong(each) for each in (*arguments, 0, 0, 0, 0)[:4]]
    checked(LIBC.prctl(option, *padded), f"prctl {option}")


def unshare(flags: int) -> None:
    """This process has namespaces of its own."""
    checked(LIBC.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """The mount is there."""
    texts = [text.encode() or None for text in (source, target, kind)]
    checked(LIBC.mount(*texts, ctypes.c_ulong(flags), data.encode() or None), f"mount {target}")


def freeze(target: str, how: int = RDONLY | NOSUID | NODEV) -> None:
    """The mount and everything below it cannot be written to, holds no devices and lends no privileges."""
    wanted = (ctypes.c_uint64 * 4)(how, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    told = LIBC.syscall(MOUNT_SETATTR, AT_FDCWD, target.encode(), AT_RECURSIVE, ctypes.byref(wanted), size)
    checked(told, f"mount_setattr {target}")


def unmount(target: str) -> None:
    """The mount is gone as soon as nobody uses it."""
    checked(LIBC.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot(root: str, old: str) -> None:
    """The first folder, which is a mount, is the root; what was the root before lies at the second, inside of it."""
    checked(LIBC.syscall(numbers()[0], root.encode(), old.encode()), "pivot_root")


def become(user: int) -> None:
    """This thread alone is that user and group, with no other group: glibc's own calls change every thread."""
    _, setresuid, setresgid, _ = numbers()
    os.setgroups([])
    checked(LIBC.syscall(setresgid, user, user, user), "setresgid")
    checked(LIBC.syscall(setresuid, user, user, user), "setresuid")


def renounce() -> None:
    """This thread has no capability, and neither it nor what it executes can gain any."""
    for number in CAPABILITIES:
        if LIBC.prctl(CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0) < 0:
            break
    # Needs a capability, which a plain user's agent without namespaces lacks; there is nothing to gain then.
    LIBC.prctl(SECUREBITS, ctypes.c_ulong(NO_ROOT_EVER), 0, 0, 0)
    LIBC.prctl(AMBIENT, ctypes.c_ulong(AMBIENT_CLEAR_ALL), 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    checked(LIBC.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def install(program: bytes) -> None:
    """The filter of system calls holds for this thread and for all that it starts."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    held = ctypes.create_string_buffer(program, len(program))
    told = Program(len(program) // 8, ctypes.addressof(held))
    checked(LIBC.prctl(SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(told), 0, 0), "seccomp")


def landlock_version() -> int:
    """The version of Landlock that this kernel offers, 0 for none."""
    return max(0, int(LIBC.syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), LANDLOCK_VERSION)))


def cpu_counter() -> int:
    """A descriptor that tells the CPU time of this thread and of all that it starts from now on; -1 where refused.

    Nothing escapes it by being short or by not being waited for.
    """
    described = struct.pack("IIQQQQQQQ", *COUNTER)
    return int(LIBC.syscall(numbers()[3], described, 0, -1, -1, ctypes.c_ulong(CLOSE_ON_EXEC)))


def landlock(readable: list[str], writable: list[str]) -> bool:
    """This thread and what it starts reach only these files, no TCP, and no process outside: true where signals are."""
    version = landlock_version()
    every = sum(rights for since, rights in LANDLOCK_FS.items() if since <= version)
    handled = (ctypes.c_uint64 * 3)(every, LANDLOCK_TCP if version >= 4 else 0, LANDLOCK_SCOPES if version >= 6 else 0)
    size = 8 * (3 if version >= 6 else 2 if version >= 4 else 1)
    ruleset = checked(LIBC.syscall(LANDLOCK_CREATE, handled, ctypes.c_size_t(size), 0), "landlock")
    try:
        for paths, rights in ((readable, READ_AND_EXECUTE), (writable, every)):
            for path in filter(os.path.exists, paths):
                _allow(ruleset, path, rights & every)
        checked(LIBC.syscall(LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)
    return version >= 6


def _allow(ruleset: int, path: str, rights: int) -> None:
    # A file takes only those rights that are about files: execute, write, read, truncate and device commands.
    rights &= -1 if os.path.isdir(path) else 0b111 | 1 << 14 | 1 << 15
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = rights.to_bytes(8, "little") + descriptor.to_bytes(4, "little")
        checked(LIBC.syscall(LANDLOCK_ADD, ruleset, LANDLOCK_PATH_BENEATH, rule, 0), f"landlock {path}")
    finally:
        os.close(descriptor)
