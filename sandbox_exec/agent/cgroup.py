"""What the kernel counts of all processes of a container together, as it can be read from inside of it."""

from __future__ import annotations

import os

# Where an engine shows a container its own group, and no other.
ROOT = "/sys/fs/cgroup"


class Cgroup:
    """The group of processes that this one belongs to: how much CPU time it took, and whom it cost too much memory."""

    def __init__(self, root: str = ROOT, told: str = "/proc/self/cgroup") -> None:
        unified = os.path.exists(f"{root}/cgroup.controllers")
        with open(told, encoding="utf-8") as file:
            if unified and "0::/\n" not in file:
                # What is shown there is the whole machine's.
                raise OSError("the container is not in a cgroup namespace of its own")
        usage = f"{root}/cpu.stat" if unified else f"{root}/cpuacct/cpuacct.usage"
        # The older file is a number of nanoseconds; the newer one begins with a word and a number of microseconds.
        self.word, self.unit = (1, 1e-6) if unified else (0, 1e-9)
        self.usage = os.open(usage, os.O_RDONLY)
        self.events = os.open(f"{root}/memory.events" if unified else f"{root}/memory/memory.oom_control", os.O_RDONLY)

    def cpu(self) -> float:
        """Seconds of CPU time of all processes that there have been."""
        return int(os.pread(self.usage, 64, 0).split()[self.word]) * self.unit

    def ended(self) -> int:
        """How many processes the kernel has ended because the group had no memory left."""
        words = os.pread(self.events, 512, 0).split()
        return int(words[words.index(b"oom_kill") + 1])
