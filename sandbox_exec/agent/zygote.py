"""A runtime that has started and waits for programs: each run is a fork of it instead of a start (zygote.c).

Made before the agent gives up what it takes: afterwards, neither the agent nor a candidate can make one.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tasklake.sandbox_exec.agent.filter import filter_program

if TYPE_CHECKING:
    from tasklake.sandbox_exec.agent.walls import Place

# What every command of a box finds in its environment, beside the folders to write to.
USUAL = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}
# Where the zygote finds the agent's socket: it is the first that a program opens otherwise.
TALK = 3
# The slowest runtime on a busy machine takes this long to start, and the kernel to end what was killed.
STARTING_S = 60.0
# The walls that zygote.c knows, in its order.
WALLS = ("capabilities", "privileges", "seccomp", "dumpable", "descriptors", "processes")
# A run whose first process did not end before its namespace did; who came no further is told as -1 to -5.
SILENCE = -1000
STEPS = ("its pipes", "giving up privileges", "forbidding privileges", "the filter", "a /proc of its own")
# The folder that a program lies in: always the same, for a runtime remembers where it was told to look.
PROGRAM = "1"
# Folders that a runtime makes for itself when it starts are few, and flat.
MOST_FOLDERS = 16


class Unforked(OSError):
    """There is no zygote any more, or it does not fork: a program can only be started."""


@dataclass
class Zygote:
    """The runtime, seen from the agent."""

    pid: int
    socket: socket.socket
    # Folders that the runtime made when it started and looks for in every run.
    folders: Sequence[str]
    # Processes that are no candidate's: this one, and the first process of the run that is on.
    spared: set[int]
    forked: int = 0

    def fork(self, ends: Sequence[int]) -> int:
        """A run has begun with these as its input, output and errors; a pidfd of the first process of its namespace."""
        for folder in self.folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, 0o700)
        try:
            told, handles, _, _ = socket.recv_fds(self.socket, 8, 1)
            self.forked = struct.unpack("q", told)[0]
            if handles and select.select(handles, [], [], 0)[0]:
                # Ended from outside while it waited: what comes next on the socket is not about this run.
                raise OSError("what it had made ready has ended")
            if self.forked > 0:
                socket.send_fds(self.socket, [b"."], list(ends))
        except (OSError, struct.error) as error:
            raise Unforked(0, f"the zygote is gone: {error}") from None
        if self.forked < 0:
            raise Unforked(-self.forked, f"the zygote does not fork: {os.strerror(-self.forked)}")
        self.spared.add(self.forked)
        return handles[0]

    def ended(self) -> tuple[int, Any]:
        """The wait status of the run's first program, and what all its processes used; none of them is left."""
        self.spared.discard(self.forked)
        try:
            status, user, system, most = struct.unpack("qqqq", self.socket.recv(32))
        except (OSError, struct.error) as error:
            raise Unforked(0, f"the zygote is gone: {error}") from None
        if SILENCE < status < 0:
            raise Unforked(0, f"the zygote's child came no further than {STEPS[-status - 1]}")
        usage = SimpleNamespace(ru_utime=user / 1e6, ru_stime=system / 1e6, ru_maxrss=most)
        return (int(signal.SIGKILL) if status == SILENCE else status), usage


def started(place: Place, asked: Mapping[str, Any], off: set[str]) -> Zygote:
    """The runtime waits, at the place where it would open its program; raises OSError where it does not."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with contextlib.ExitStack() as stack:
        stack.callback(theirs.close)
        stand_in(place, asked["file"])
        ends = (*pipes(stack), theirs.fileno())
        pid = os.posix_spawn(
            asked["argv"][0],
            asked["argv"],
            {**environment(place), **asked["variables"], **setting(asked)},
            file_actions=[(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(ends)],
            setsid=True,
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
    ours.settimeout(STARTING_S)
    told = b""
    with contextlib.suppress(ConnectionResetError):
        told = ours.recv(256)
    if told != b"ready":
        raise OSError(f"no zygote: {told.decode('utf-8', 'replace') or 'the runtime never came to its program'}")
    # Before it tries an empty program, at whose end a runtime takes away what it made.
    folders = tuple(made(place))
    program = filter_program(build=False)
    ours.send(struct.pack("ii", bits(off), len(program) // 8) + program)
    if not select.select([ours], [], [], STARTING_S)[0]:
        raise OSError("no zygote: it never came to its first run")
    return Zygote(pid, ours, folders, {pid})


def environment(place: Place) -> dict[str, str]:
    """The variables of every command in the place."""
    scratch = place.seen(place.scratch[1])
    return {**USUAL, "HOME": scratch, "TMPDIR": scratch}


def setting(asked: Mapping[str, Any]) -> dict[str, str]:
    """The variables that make a runtime a zygote; they are gone before any program sees them."""
    told = "\n".join((f"{TALK}:{asked['at']}:{asked['file']}", *asked["calls"]))
    return {"LD_PRELOAD": asked["library"], "TASKLAKE_ZYGOTE": told}


def bits(off: set[str]) -> int:
    """The walls that are left out, as a number."""
    return sum(1 << number for number, wall in enumerate(WALLS) if wall in off)


def stand_in(place: Place, name: str) -> None:
    """An empty program lies where programs will."""
    os.mkdir(PROGRAM, 0o755, dir_fd=place.program_fd)
    os.close(os.open(f"{PROGRAM}/{name}", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=place.program_fd))
    os.symlink(f"{place.program}/{PROGRAM}/{name}", f"{place.work}/{name}")


def pipes(stack: contextlib.ExitStack) -> list[int]:
    """Pipes as every run has them, so that the runtime takes its input and outputs for what they will be."""
    found: list[int] = []
    for number in range(3):
        ends = os.pipe()
        for each in ends:
            stack.callback(os.close, each)
        found.append(ends[0 if number == 0 else 1])
    return found


def made(place: Place) -> Iterator[str]:
    """The folders that have been made where candidates may write."""
    for folder in place.scratch:
        names = [name for name in os.listdir(folder) if os.path.isdir(f"{folder}/{name}")]
        yield from (f"{folder}/{name}" for name in sorted(names)[:MOST_FOLDERS])
