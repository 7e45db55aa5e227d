"""The processes of candidates as they are seen from outside: how much they use, and the end of them all."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Container, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasklake.sandbox_exec.agent.walls import Place

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Places in /proc/PID/stat behind the name: what it does now, who started it, CPU of the process itself, of children it
# waited for, its address space and its pages.
STATE, PARENT = 0, 1
UTIME, STIME, CUTIME, CSTIME, SIZE, RSS = 11, 12, 13, 14, 20, 21
# Tables of pages are in no count of pages: one byte for 512 of address space, even where that is only read.
TABLES = 512
# Below this share of the limit, tables are not worth looking at.
WORTH = 8
# From this share of the limit on, memory decides verdicts (verdict.py: NEAR_LIMIT), and is looked at closely.
NEAR = 0.9
# What one socket can hold of what nobody has read, and how many a runtime has for its own use.
SOCKET_BYTES, OWN_SOCKETS = 2 * 212992, 16
Fields = list[bytes]


class Tree:
    """The measures of everything below this process, from samples taken while a candidate runs."""

    def __init__(self, place: Place) -> None:
        # In a namespace of its own all other processes are candidates: no tree has to be walked.
        self.alone = os.getpid() == 1
        # Counts the CPU time of candidates, and where this process starts them itself, of this thread too.
        self.counter, self.user, self.cgroup = place.counter, place.user, place.cgroup
        # Others that are no candidate's.
        self.spared: Container[int] = place.zygote.spared if place.zygote is not None else ()
        self.network = -1
        if place.own_network:
            with contextlib.suppress(FileNotFoundError):
                self.network = os.open("/proc/net/sockstat", os.O_RDONLY)
        self.before = self.sockets()
        self.begin()

    def begin(self) -> None:
        """Nothing is known of the candidate that is about to start."""
        self.own: dict[int, int] = {}
        self.cpu, self.peak, self.processes, self.hidden = 0.0, 0, 0, 0.0
        self.counted = -1.0

    def attend(self) -> None:
        """From now on all CPU time of candidates is counted."""
        self.counted, self.looked = self.count(), time.monotonic()

    def finish(self) -> None:
        """What was counted up to the end is part of the measures."""
        if self.counted >= 0:
            self.spend(self.count() - self.counted)

    def means(self) -> str:
        """How all this is known: memory is what processes are seen to use, CPU time is also counted where it can be."""
        if self.cgroup is not None:
            return "processes and cgroup"
        return "processes and counter" if self.counter >= 0 else "processes"

    def starved(self) -> int:
        """How many processes the kernel has ended for want of memory in this box; none is known of without a cgroup."""
        return self.cgroup.ended() if self.cgroup is not None else 0

    def count(self) -> float:
        """Seconds of CPU time of all candidates that there have been."""
        if self.cgroup is not None:
            return self.cgroup.cpu() - time.process_time()
        if self.counter < 0:
            return 0.0
        told = int.from_bytes(os.read(self.counter, 8), sys.byteorder) / 1e9
        return told - time.thread_time() if self.alone else told

    def sample(self, scratch_bytes: int, limit: int) -> None:
        """CPU and memory as they are now are part of the measures."""
        live, pages, size, hidden = 0, 0, 0, False
        seen: dict[int, Fields] = {}
        for pid, owner, fields in stats(self.alone, self.spared):
            own = int(fields[UTIME]) + int(fields[STIME])
            self.own[pid] = own
            live += own + int(fields[CUTIME]) + int(fields[CSTIME])
            seen[pid] = fields
            # Root's are those that nobody may look into. Of what they start, the counter does not know; a cgroup does.
            hidden = hidden or (owner != self.user and fields[SIZE] != b"0" and self.cgroup is None)
        for pid in (pids := own_memory(seen)):
            pages += int(seen[pid][RSS])
            size += int(seen[pid][SIZE])
        self.hide(hidden)
        # A child that nobody waits for is in no sum of the kernel's, so what it was last seen with is kept.
        self.spend(max(live / TICK, sum(self.own.values()) / TICK, self.count() - self.counted))
        kernel = self.held(pids, size, limit)
        memory = pages * PAGE + scratch_bytes + kernel
        if memory > max(NEAR * limit, self.peak) and len(pids) > 1:
            # Forked processes share pages, which were counted for each of them: telling how many takes milliseconds.
            memory = sum(map(proportional, pids)) + scratch_bytes + kernel
        self.peak = max(self.peak, memory)
        self.processes = max(self.processes, len(seen))

    def spend(self, seconds: float) -> None:
        """So much CPU time has been used at the least."""
        self.cpu = max(self.cpu, seconds + self.hidden)

    def hide(self, hidden: bool) -> None:
        """While somebody cannot be looked into, time passes as if it were his CPU time."""
        now = time.monotonic()
        self.hidden += now - self.looked if hidden else 0.0
        self.looked = now

    def held(self, pids: Sequence[int], size: int, limit: int) -> int:
        """The memory that the kernel holds for candidates: their tables of pages, and what lies in their sockets."""
        tables = sum(map(page_tables, pids)) if size // TABLES > limit // WORTH else 0
        return tables + max(0, self.sockets() - self.before - OWN_SOCKETS) * SOCKET_BYTES

    def sockets(self) -> int:
        """How many sockets there are in this network namespace; none is known of in a shared one."""
        return int(os.pread(self.network, 64, 0).split(maxsplit=3)[2]) if self.network >= 0 else 0

    def haunted(self) -> bool:
        """True when sockets are left though no process is: they hold one another, and whatever was sent over them."""
        return self.sockets() > self.before

    def waited(self) -> float:
        """How long the candidate has been ready to run and was not: time that the host took, not the candidate."""
        return max((delay(pid) for pid, _, _ in stats(self.alone, self.spared)), default=0.0)


def stats(alone: bool, spared: Container[int]) -> Iterator[tuple[int, int, Fields]]:
    """Every process of the candidate that still runs, with whose it is and its fields behind the name."""
    for pid in others() if alone else descendants(os.getpid()):
        if pid in spared:
            continue
        with contextlib.suppress(OSError):
            descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
            try:
                yield pid, os.fstat(descriptor).st_uid, os.read(descriptor, 2048).rpartition(b")")[2].split()
            finally:
                os.close(descriptor)


def own_memory(seen: dict[int, Fields]) -> list[int]:
    """The processes but those who still have their starter's memory, who waits until they have their own (vfork)."""
    borrowing: dict[bytes, int] = {}
    for pid, fields in seen.items() if len(seen) > 1 else ():
        parent = seen.get(int(fields[PARENT]))
        # One for each who waits, however many others look the same.
        if parent is not None and parent[STATE] == b"D" and parent[SIZE] == fields[SIZE]:
            borrowing[fields[PARENT]] = pid
    return [pid for pid in seen if pid not in borrowing.values()]


def others() -> Iterator[int]:
    """Every process of this namespace but the first, which is us."""
    return (int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1")


def descendants(pid: int) -> Iterator[int]:
    """Every process below one."""
    todo = [pid]
    while todo:
        for child in children(todo.pop()):
            todo.append(child)
            yield child


def children(pid: int) -> list[int]:
    """The direct children of a process, of all its threads."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
    return found


def proportional(pid: int) -> int:
    """The process's share of the memory that it uses, or all of it where that cannot be seen."""
    with contextlib.suppress(OSError, ValueError, StopIteration), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        return int(next(line for line in file if line.startswith(b"Pss:")).split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * PAGE
    return 0


def delay(pid: int) -> float:
    """Seconds that the process's first thread waited for a CPU."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/schedstat", "rb") as file:
        return int(file.read().split()[1]) / 1e9
    return 0.0


def page_tables(pid: int) -> int:
    """The size of the process's tables of pages."""
    with contextlib.suppress(OSError, ValueError, StopIteration), open(f"/proc/{pid}/status", "rb") as file:
        return int(next(line for line in file if line.startswith(b"VmPTE:")).split()[1]) * 1024
    return 0


def reap(options: int = 0) -> tuple[float, bool]:
    """The CPU time of children that have ended, all of them unless an option says otherwise; and that none is left."""
    spent = 0.0
    try:
        while (ended := os.wait4(-1, options))[0]:
            spent += ended[2].ru_utime + ended[2].ru_stime
    except ChildProcessError:
        return spent, True
    return spent, False


def end_all() -> float:
    """No other process of this namespace is left; how much CPU time those took. Only for its first process."""
    if os.getpid() != 1:
        raise RuntimeError("outside of a namespace this would end all processes of the user")
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return 0.0
    return reap()[0]


def end_descendants(strike: Callable[[], object] | None = None) -> float:
    """No process below this one is left; how much CPU time those took. Orphans come to this process, a subreaper."""
    spent = 0.0
    while True:
        # Whoever has no child has no descendant: usually there is nothing to end.
        ended, none_left = reap(os.WNOHANG)
        spent += ended
        if none_left:
            return spent
        if strike is None:
            end_one_by_one()
            continue
        # Ends all at once, so that nobody is ahead of it by forking.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            strike()
        return spent + reap()[0]


def end_one_by_one() -> None:
    """What was found below this process has ended; whoever forked meanwhile has not."""
    below = list(descendants(os.getpid()))
    # Stopped first, for a process that forks while the others are ended would always be one ahead.
    for each in (signal.SIGSTOP, signal.SIGKILL):
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, each)
    os.sched_yield()
