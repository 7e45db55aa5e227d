"""The filter of system calls that every candidate runs under, on every level, as the kernel's own small programs.

What is refused is what lends reach beyond the box or beyond the case: other processes, kernel interfaces that few
programs need and that attacks do, network, and whatever outlives a process without being a file.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Mapping, Sequence

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER, ARCHITECTURE, ARGUMENT = 0, 4, 16
# CLONE_NEW*: a candidate that makes namespaces is root in them and reaches code that few have looked at.
NAMESPACES = 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000

# The numbers on x86_64 and aarch64; None where a machine lacks the call. One number stands for both.
Numbers = tuple[int | None, int | None]
KERNEL: tuple[Numbers, ...] = (
    (101, 117), (310, 270), (311, 271), (312, 272), (438, 438), (440, 440), (448, 448),  # ptrace, process_vm_*, kcmp …
    (272, 97), (308, 268), (161, 51), (155, 41), (165, 40), (166, 39),  # unshare, setns, chroot, pivot_root, mounts
    (428, 428), (429, 429), (430, 430), (431, 431), (432, 432), (433, 433), (442, 442), (467, 467),  # newer, for mounts
    (248, 217), (249, 218), (250, 219),  # add_key, request_key, keyctl: keyrings outlive a case
    (321, 280), (298, 241), (323, 282), (425, 425), (426, 426), (427, 427),  # bpf, perf, userfaultfd, io_uring
    (175, 105), (313, 273), (176, 106), (246, 104), (320, 294), (169, 142), (167, 224), (168, 225),  # modules, reboot …
    (163, 89), (179, 60), (443, 443), (103, 116), (170, 161), (171, 162),  # acct, quotas, syslog, host names
    (164, 170), (227, 112), (159, 171), (305, 266), (172, None), (173, None),  # clocks, ports
    (303, 264), (304, 265), (300, 262), (301, 263), (253, None), (294, 26), (254, 27),  # handles, fanotify, inotify
    (212, 18), (279, 239), (256, 238), (237, 235), (238, 237),  # lookup_dcookie, pages on other nodes
    (153, 58), (136, None), (134, None), (180, 42), (154, None), (451, 451),  # vhangup, uselib, modify_ldt, cachestat …
    (29, 194), (30, 196), (31, 195), (67, 197), (64, 190), (65, 193), (66, 191), (220, 192),  # SysV memory, semaphores
    (68, 186), (69, 189), (70, 188), (71, 187), (240, 180), (241, 181),  # SysV and POSIX message queues
    (144, 119), (142, 118), (314, 274), (203, 122), (251, 30), (141, 140),  # scheduling, affinity, priorities, of any
)  # fmt: skip
# A network would need a socket. A pair of connected sockets, which runtimes talk through, is another call.
SOCKET: Numbers = (41, 198)
# Memory that belongs to no process and no file of the box cannot be counted.
MEMORY_FILES: tuple[Numbers, ...] = ((319, 279), (447, 447))
# Rules of Landlock are memory of the kernel's that nobody counts; whoever is in a box needs no other.
RULES: tuple[Numbers, ...] = ((444, 444), (445, 445), (446, 446))
# Where a box has no file system of its own, these change files outside of it that belong to the same user: owners,
# attributes, flags. On a box's own folders they would outlast the case.
OWNERSHIP: tuple[Numbers, ...] = ((92, None), (93, 55), (94, None), (260, 54), (469, 469))
ATTRIBUTES: tuple[Numbers, ...] = (
    (188, 5), (189, 6), (190, 7), (197, 14), (198, 15), (199, 16), (463, 463), (466, 466),
)  # fmt: skip
# Modes and times of files named by their path, for the same reason; linkers and builders need them.
MODES: tuple[Numbers, ...] = ((90, None), (91, 52), (268, 53), (452, 452), (132, None), (235, None), (261, None))
# With no path it is about an open file, which is one of the box's own where that has a file system of its own.
TIMES: Numbers = (280, 88)
# Flags, attributes, keys, snapshots: commands of file systems to any open file, even one that its owner may only read.
# The letters of ext4, of versions, of XFS, btrfs and f2fs, each in the second byte of a command.
COMMAND: Numbers = (16, 29)
FILE_SYSTEMS, LETTER = (0x6600, 0x7600, 0x5800, 0x9400, 0xF500), 0xFF00
# A lease holds up whoever opens the file, a notice tells of him, a hint about how long data lives stays with a folder.
CONTROL: Numbers = (72, 25)
LEASE, NOTIFY, HINT = 1024, 1026, 1036
# A lock on a file of the machine is seen, and waited for, by every box and by the machine itself.
LOCK: Numbers = (73, 32)
# Waiting for every disk of the machine: pretended to have been done, for programs that mean their own files.
SYNC: tuple[Numbers, ...] = ((162, 81), (306, 267))
# The first argument says whose limits: 0 is the caller.
LIMITS: Numbers = (302, 261)
CLONE: Numbers = (56, 220)
CLONE3: Numbers = (435, 435)
# The first number that nobody here has looked at: programs do without what older kernels lack.
UNKNOWN = 470


def filter_program(build: bool, fenced: bool = False) -> bytes:
    """The filter for this machine; a build may change what its own files are allowed, as linkers do.

    Where a box is but fenced off, an open file may be one of the machine's that belongs to the candidate's user: its
    times are pretended to have been changed, for programs that touch their own.
    """
    which = list(ARCHITECTURES).index(platform.machine())
    chosen: dict[int | None, list[Line]] = {call[which]: _refused(number) for call, number in _refusals(build)}
    chosen[LIMITS[which]] = _unless_zero(_low(0))
    if not build:
        chosen[TIMES[which]] = _unless_zero(_low(1), _high(1), otherwise=REFUSE if fenced else ALLOW)
    chosen[COMMAND[which]] = _unless_among(FILE_SYSTEMS, errno.ENOTTY, LETTER)
    chosen[CONTROL[which]] = _unless_among((LEASE, NOTIFY, HINT), errno.EINVAL)
    chosen[CLONE[which]] = _without_namespaces()
    lines = [*_entrance(), *_search(_ranges({call: then for call, then in chosen.items() if call is not None}))]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


Line = tuple[int, int, int, int]
# What happens to a call, from this number on up to the next.
Range = tuple[int, list[Line]]


def _entrance() -> list[Line]:
    """Calls of another architecture end the program: their numbers mean other things."""
    known = ARCHITECTURES[platform.machine()]
    return [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, known), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]


def _ranges(chosen: Mapping[int, list[Line]]) -> list[Range]:
    """All numbers there can be; what is not chosen is allowed where somebody has looked at it."""
    found: list[Range] = [(0, [(RETURN, 0, 0, ALLOW)])]
    for number in range(UNKNOWN):
        then = chosen.get(number, [(RETURN, 0, 0, ALLOW)])
        if then != found[-1][1]:
            found.append((number, then))
    return [*found, (UNKNOWN, _refused(errno.ENOSYS)), (X32, [(RETURN, 0, 0, KILL)])]


def _search(ranges: Sequence[Range]) -> list[Line]:
    """Halves until one is left: the kernel tries every number when it takes a filter, which each fork makes it do."""
    if len(ranges) == 1:
        return ranges[0][1]
    half = len(ranges) // 2
    below, above = _search(ranges[:half]), _search(ranges[half:])
    return [(AT_LEAST, len(below), 0, ranges[half][0]), *below, *above]


def _refused(number: int) -> list[Line]:
    return [(RETURN, 0, 0, REFUSE | number)]


def _refusals(build: bool) -> list[tuple[Numbers, int]]:
    found = [(call, errno.EPERM) for call in (*KERNEL, *OWNERSHIP)]
    found += [(call, errno.EOPNOTSUPP) for call in ATTRIBUTES]
    found += [(SOCKET, errno.EAFNOSUPPORT), *((call, errno.ENOSYS) for call in (*MEMORY_FILES, *RULES, CLONE3))]
    found += [(call, 0) for call in SYNC]
    return found + ([] if build else [*((call, errno.EPERM) for call in MODES), (LOCK, errno.ENOLCK)])


def _low(argument: int) -> int:
    """Where the lower half of an argument lies, which is all of a whole number."""
    return ARGUMENT + 8 * argument


def _high(argument: int) -> int:
    """Where the upper half of an argument lies, for addresses."""
    return _low(argument) + 4


def _unless_zero(*places: int, otherwise: int = ALLOW) -> list[Line]:
    refused = (RETURN, 0, 0, REFUSE | errno.EPERM)
    checked = [line for place in places for line in ((LOAD, 0, 0, place), (EQUAL, 1, 0, 0), refused)]
    return [*checked, (RETURN, 0, 0, otherwise)]


def _unless_among(refused: tuple[int, ...], number: int, mask: int = 0xFFFFFFFF) -> list[Line]:
    """Refused where the second argument, a command, is one of these as far as the mask goes."""
    checked = [line for each in refused for line in ((EQUAL, 0, 1, each), (RETURN, 0, 0, REFUSE | number))]
    return [(LOAD, 0, 0, _low(1)), (AND, 0, 0, mask), *checked, (RETURN, 0, 0, ALLOW)]


def _without_namespaces() -> list[Line]:
    load = (LOAD, 0, 0, _low(0))
    return [load, (ANY_BIT, 0, 1, NAMESPACES), (RETURN, 0, 0, REFUSE | errno.EPERM), (RETURN, 0, 0, ALLOW)]
