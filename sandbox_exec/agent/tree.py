"""The processes of candidates as they are seen from outside: how much they use, and the end of them all."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Places in /proc/PID/stat behind the name: CPU of the process itself, of children it waited for, and its pages.
UTIME, STIME, CUTIME, CSTIME, RSS = 11, 12, 13, 14, 21


class Tree:
    """The measures of everything below this process, from samples taken while a candidate runs."""

    def __init__(self, private: bool) -> None:
        # In a namespace of its own all other processes are candidates: no tree has to be walked.
        self.private = private
        self.begin()

    def begin(self) -> None:
        """Nothing is known of the candidate that is about to start."""
        self.own: dict[int, int] = {}
        self.cpu, self.peak, self.processes = 0.0, 0, 0

    def sample(self, scratch_bytes: int, limit: int) -> None:
        """CPU and memory as they are now are part of the measures."""
        live, pages, pids = 0, 0, []
        for pid, fields in stats(self.private):
            own = int(fields[UTIME]) + int(fields[STIME])
            self.own[pid] = own
            live += own + int(fields[CUTIME]) + int(fields[CSTIME])
            pages += int(fields[RSS])
            pids.append(pid)
        # A child that nobody waits for is in no sum of the kernel's, so what it was last seen with is kept.
        self.cpu = max(self.cpu, live / TICK, sum(self.own.values()) / TICK)
        memory = pages * PAGE + scratch_bytes
        if memory > limit and len(pids) > 1:
            # Forked processes share pages, which were counted for each of them.
            memory = sum(map(proportional, pids)) + scratch_bytes
        self.peak = max(self.peak, memory)
        self.processes = max(self.processes, len(pids))

    def waited(self) -> float:
        """How long the candidate has been ready to run and was not: time that the host took, not the candidate."""
        return max((delay(pid) for pid, _ in stats(self.private)), default=0.0)


def stats(private: bool) -> Iterator[tuple[int, list[bytes]]]:
    """Every process of the candidate that still runs, with its fields behind the name."""
    for pid in others() if private else descendants(os.getpid()):
        with contextlib.suppress(OSError):
            descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
            try:
                yield pid, os.read(descriptor, 2048).rpartition(b")")[2].split()
            finally:
                os.close(descriptor)


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


def end_all() -> None:
    """No other process of this namespace is left: only for its first process."""
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def end_descendants() -> None:
    """No process below this one is left, however quickly they fork: orphans come to this process, a subreaper."""
    while True:
        try:
            # Whoever has no child has no descendant: usually there is nothing to end.
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        below = list(descendants(os.getpid()))
        # Stopped first, for a process that forks while the others are ended would always be one ahead.
        for each in (signal.SIGSTOP, signal.SIGKILL):
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, each)
        os.sched_yield()
