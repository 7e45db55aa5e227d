"""One command in a box, from its start to the last of its processes: fed, watched, measured and cleaned up behind."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import resource
import select
import signal
import stat
import time
from collections.abc import Callable, Mapping
from typing import Any

from tasklake.sandbox_exec.agent.folders import SCRATCH_MODE, empty
from tasklake.sandbox_exec.agent.tree import Tree
from tasklake.sandbox_exec.agent.walls import Place
from tasklake.sandbox_exec.agent.zygote import Unforked, environment

# Most programs end before anybody needs to look: until then their end alone is waited for, and what they write stays
# in its pipe.
UNSEEN_MS = 3
# How often processes are measured: a program that fills memory at 3 GB/s overshoots by 30 MB in between.
SAMPLE_S = 0.01
# After the first second a step is measured less often: it is long, and looking costs CPU of the same core.
LATE_SAMPLE_S = 0.05
# What a pipe holds at once, at the very least and usually; a program that writes much is read from in large parts.
PAGE_OF_PIPE, PIPE, WIDE_PIPE = 1 << 12, 1 << 16, 1 << 20
TAIL = 4096
# What this process ignores, by Python's habit or because its caller did as under nohup, ends a program as usual.
DEFAULTED = (
    signal.SIGINT,
    *(each for each in signal.valid_signals() if signal.getsignal(each) is signal.SIG_IGN),
)
# A program may go on a little beyond its CPU limit: only so can it be told that it ended near it, and tried again.
GRACE = 1.25
# How long a host that is too busy is waited for: the caller gives this process up a little later.
PATIENCE_S = 45.0
# What is beyond any candidate's doing: the kernel itself has no room for a process or a pipe now.
OURS = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


class Dirty(Exception):
    """The box cannot be cleaned: it must be thrown away."""


class Step:
    """Commands that run in a place, one at a time."""

    def __init__(self, place: Place, meanwhile: Callable[[], None]) -> None:
        # What there is to do while a command runs that nobody needs to look at yet; it never waits for anybody.
        self.place, self.meanwhile = place, meanwhile
        self.tree = Tree(place)
        self.grown = False
        self.measured, self.bounded = "measures" not in place.off, "output" not in place.off
        self.environment = environment(place)

    def run(
        self, argv: list[str], variables: Mapping[str, str], limits: Mapping[str, Any], stdin: bytes
    ) -> tuple[dict[str, Any], list[list[bytes]]]:
        """What happened, in raw measures, with the parts of the output and of the end of standard error."""
        self.limits = limits
        self.output: list[bytes] = []
        self.grown = self.grown or len(stdin) > WIDE_PIPE
        self.output_bytes, self.tail, self.killed, self.ended = 0, b"", "", False
        self.usage: Any = None
        self.tree.begin()
        self.starved = self.tree.starved()
        self.forget()
        self.began = time.monotonic()
        try:
            self.start(argv, {**self.environment, **variables}, stdin)
        except OSError as error:
            return self.failed(argv[0], error)
        try:
            try:
                self.watch(memoryview(stdin)[self.fed :])
            finally:
                self.end()
        except Unforked as error:
            return self.failed(argv[0], error)
        return self.answer()

    def failed(self, command: str, error: OSError) -> tuple[dict[str, Any], list[list[bytes]]]:
        """What is told of a command that did not run."""
        self.close()
        told = {"failed": f"cannot start {command}: {error.strerror}", "ours": self.ours(command, error)}
        return {**told, "unforked": isinstance(error, Unforked)}, [[], []]

    def ours(self, command: str, error: OSError) -> bool:
        """True when the program cannot be to blame: it names no toolchain, and does not decide what the kernel has."""
        return command.startswith("/") or error.errno in OURS

    def forget(self) -> None:
        """What large inputs and outputs made of our own memory is not taken for the next program's."""
        if self.grown and self.place.forget_fd >= 0:
            os.write(self.place.forget_fd, b"5")
        self.grown = False

    def start(self, argv: list[str], environment: Mapping[str, str], stdin: bytes) -> None:
        """The command runs; as much of its input as a pipe holds waits for it."""
        self.open: list[int] = []
        pairs = []
        for _ in range(3):
            pairs.append(os.pipe())
            self.open += pairs[-1]
        (given, self.stdin), (self.stdout, wrote), (self.stderr, said) = pairs
        if len(stdin) > PAGE_OF_PIPE:
            os.set_blocking(self.stdin, False)
        self.fed = os.write(self.stdin, stdin) if stdin else 0
        if self.fed == len(stdin):
            self.shut(self.stdin)
            self.stdin = -1
        # Some languages read by opening /dev/stdin alone, which is for the pipe's owner: the user who made it.
        if self.place.user not in (-1, os.geteuid()):
            for end in (given, wrote, said):
                os.fchown(end, self.place.user, self.place.user)
        self.handle = self.begun(argv, environment, (given, wrote, said))
        self.open.append(self.handle)
        for descriptor in (given, wrote, said):
            self.shut(descriptor)
        if self.place.cgroup is not None:
            offer(self.pid)

    def begun(self, argv: list[str], environment: Mapping[str, str], ends: tuple[int, int, int]) -> int:
        """A pidfd of the process whose end is the command's, which has these as its input, output and errors."""
        if self.place.zygote is not None:
            return self.place.zygote.fork(ends)
        actions = [(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(ends)]
        self.pid = self.place.spawn(
            lambda: os.posix_spawn(
                argv[0], argv, environment, file_actions=actions, setsid=True, setsigdef=DEFAULTED, setsigmask=()
            )
        )
        return os.pidfd_open(self.pid)

    def shut(self, descriptor: int) -> None:
        """The descriptor is closed."""
        self.open.remove(descriptor)
        os.close(descriptor)

    def close(self) -> None:
        """Nothing of the step is open."""
        for descriptor in self.open:
            os.close(descriptor)
        self.open = []

    def watch(self, stdin: memoryview) -> None:
        """Returns when the command's first process has ended, or when a limit has to end it."""
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        self.meanwhile()
        self.ended = not stdin and bool(poll.poll(UNSEEN_MS))
        if self.ended:
            return
        for descriptor in (self.stdout, self.stderr):
            os.set_blocking(descriptor, False)
            poll.register(descriptor, select.POLLIN)
        if stdin:
            poll.register(self.stdin, select.POLLOUT)
        # The caller: when it is gone, so is every reason to go on.
        poll.register(0, select.POLLHUP)
        self.attend(poll, stdin)

    def attend(self, poll: select.poll, stdin: memoryview) -> None:
        """The command is fed, read from and measured."""
        sampled = 0.0
        self.tree.attend()
        while not self.killed:
            now = time.monotonic()
            if now >= sampled:
                if self.measured:
                    self.tree.sample(self.scratch_bytes(), self.limits["memory_bytes"])
                sampled = now + (SAMPLE_S if now - self.began < 1 else LATE_SAMPLE_S)
                self.meanwhile()
                self.killed = self.beyond(now - self.began)
            for descriptor, event in poll.poll(max(0.0, sampled - now) * 1000):
                if descriptor == self.handle:
                    self.ended = True
                    return
                if descriptor == 0 and event & select.POLLHUP:
                    raise SystemExit("the caller is gone")
                if descriptor == self.stdin:
                    stdin = self.feed(poll, stdin)
                elif descriptor in (self.stdout, self.stderr) and self.take(descriptor) == 0:
                    poll.unregister(descriptor)

    def feed(self, poll: select.poll, stdin: memoryview) -> memoryview:
        """The command has as much input as it takes now; the pipe is closed behind the last byte."""
        try:
            stdin = stdin[os.write(self.stdin, stdin[:WIDE_PIPE]) :]
        except BlockingIOError:
            return stdin
        except BrokenPipeError:
            stdin = stdin[:0]
        if not stdin:
            poll.unregister(self.stdin)
            self.shut(self.stdin)
            self.stdin = -1
        return stdin

    def take(self, descriptor: int) -> int:
        """Reads once: how much there was, 0 when nothing will ever come, -1 when nothing is there now."""
        try:
            data = os.read(descriptor, WIDE_PIPE)
        except BlockingIOError:
            return -1
        if descriptor == self.stderr:
            self.tail = (self.tail + data)[-TAIL:]
        elif data:
            if not self.output_bytes and len(data) == PIPE:
                # It writes much: fewer, larger reads. Where that is not allowed, small ones do.
                with contextlib.suppress(OSError):
                    fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, WIDE_PIPE)
            self.output_bytes += len(data)
            self.output.append(data)
            if self.bounded and self.output_bytes > self.limits["output_bytes"]:
                self.killed = "output"
        return len(data)

    def beyond(self, wall: float) -> str:
        """The limit that the command is beyond, if any."""
        if self.tree.peak > self.limits["memory_bytes"] or self.tree.starved() > self.starved:
            return "memory"
        # Where the kernel counts for the whole machine, a fork bomb grows far beyond what one program may have.
        if self.tree.processes > self.limits["processes"]:
            return "processes"
        if self.tree.cpu > self.limits["cpu_s"] * GRACE:
            return "cpu"
        late = wall - self.limits["wall_s"]
        if late <= 0 or "wall" in self.place.off:
            return ""
        # Whoever makes himself unimportant, and waits where others are busy, keeps his place only for so long.
        return "wall" if late > min(self.tree.waited(), PATIENCE_S) else ""

    def scratch_bytes(self) -> int:
        """What lies in the folders that the candidate can write to, where that is memory."""
        found = map(os.statvfs, self.place.mounts)
        return sum((each.f_blocks - each.f_bfree) * each.f_frsize for each in found)

    def end(self) -> None:
        """No process of the command is left, and all that it wrote has been read."""
        if not self.ended:
            # A zygote may have waited for it already.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        if self.place.zygote is not None:
            self.status, self.usage = self.place.zygote.ended()
        else:
            _, self.status, self.usage = os.wait4(self.pid, 0)
        self.wall = time.monotonic() - self.began
        self.left = self.place.end() if "sweep" not in self.place.off else 0.0
        # Whoever has lost a process may wait for it until another limit is met.
        if self.killed != "output" and self.tree.starved() > self.starved:
            self.killed = "memory"
        if self.measured:
            self.tree.finish()
        # Nobody is left who could write, but the kernel may not have found out: reading must not wait for it.
        for descriptor in (self.stdout, self.stderr):
            os.set_blocking(descriptor, False)
            while not self.killed and self.take(descriptor) > 0:
                pass
        self.close()

    def memory(self) -> int:
        """The most memory in use at once. A process starts with the mark of its starter, which says nothing of it."""
        told = int(self.usage.ru_maxrss)
        # A fork of a runtime does use what the runtime does, as one that was started would.
        ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if self.place.zygote is None else 0
        return max(self.tree.peak, told * 1024 if told > ours else 0)

    def answer(self) -> tuple[dict[str, Any], list[list[bytes]]]:
        """The measures: what the kernel says of the waited for, and what was seen of all."""
        # Whoever was not waited for by the command came to this process, and counts as well.
        cpu = self.usage.ru_utime + self.usage.ru_stime + (self.left if self.measured else 0.0)
        self.grown = self.output_bytes > WIDE_PIPE or self.grown
        told = {
            "failed": "",
            "status": None if self.killed else self.status,
            "killed": self.killed,
            "cpu_s": round(max(self.tree.cpu, cpu), 6),
            "wall_s": round(self.wall, 6),
            "peak": self.memory(),
            "output_bytes": self.output_bytes,
            "measured_by": self.tree.means(),
        }
        return told, [self.output, [self.tail]]


def offer(pid: int) -> None:
    """The process and all that it starts are ended first where the box has no memory left, and not this agent."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "wb", buffering=0) as file:
        file.write(b"1000")


def wipe(place: Place) -> None:
    """The folders are empty, open to their owner and of no time, whatever was done to them; raises Dirty otherwise."""
    for folder, handle, size in place.held:
        try:
            found = os.fstat(handle)
            if stat.S_IMODE(found.st_mode) != SCRATCH_MODE:
                os.chmod(folder, SCRATCH_MODE)
            # A folder in memory has a size for each of its names, which is quicker to ask for than the names.
            if found.st_size != size or not place.mounts:
                empty(folder)
            # A time of a folder is one more place to leave a word, even where nothing lies in it.
            os.utime(handle, ns=(0, 0))
            grown = os.fstat(handle).st_size != size
        except OSError as error:
            raise Dirty(str(error)) from None
        if grown:
            raise Dirty("the disk keeps how large a folder has been")
