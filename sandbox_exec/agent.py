"""The warm agent of one slot: makes a box per step, feeds it, watches it, and says what happened.

Started with `python -I -S -c`, so that no caller is ever forked. It speaks frames over its own standard input and
output: a JSON header with blobs behind it. It never sees an expected output. It ends, with every box, when its caller
does.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, NoReturn

from tasklake.sandbox_exec import box

# How often the process tree is measured while a step runs: a program that fills memory at 3 GB/s overshoots by 30 MB.
SAMPLE_S = 0.01
# After the first second a step is measured less often: it is long, and looking costs CPU of the same core.
LATE_SAMPLE_S = 0.05
# A header, and the blobs behind it.
Frame = tuple[dict[str, Any], list[bytes]]
CHUNK = 1 << 20
HEAD = TAIL = 4096
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next request, or None when the caller is gone."""
    start = stream.read(4)
    if len(start) < 4:
        return None
    header = json.loads(stream.read(struct.unpack(">I", start)[0]))
    return header, [stream.read(size) for size in header.pop("blobs")]


def write_frame(stream: BinaryIO, header: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """The answer is on its way."""
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    stream.write(struct.pack(">I", len(text)) + text)
    for blob in blobs:
        stream.write(blob)
    stream.flush()


class Agent:
    """One slot: its scratch folder, its isolation level, and the artefacts of programs built so far."""

    def __init__(self, scratch: str, isolated: bool) -> None:
        self.scratch = scratch
        self.isolated = isolated
        os.chmod(scratch, 0o711)
        self.root = os.path.join(scratch, "root")
        os.mkdir(self.root)

    def artefact(self, files: Mapping[str, bytes]) -> str:
        """A fresh folder with the program's files, owned by whoever a candidate is outside of the box."""
        folder = tempfile.mkdtemp(dir=self.scratch, prefix="program-")
        for name, data in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        own(folder)
        return folder

    def step(self, folder: str, request: Mapping[str, Any], stdin: bytes) -> Frame:
        """Runs one command in a fresh box; in a build the folder itself is changed, else a copy of it."""
        build = request["build"]
        work = folder if build or self.isolated else self.copy(folder)
        try:
            return Step(self, work, request, stdin).run()
        finally:
            if work != folder:
                shutil.rmtree(work, ignore_errors=True)

    def copy(self, folder: str) -> str:
        """A folder of its own for a step that has no file system of its own."""
        work = tempfile.mkdtemp(dir=self.scratch, prefix="case-")
        shutil.copytree(folder, work, dirs_exist_ok=True, symlinks=True)
        own(work)
        return work


def own(folder: str) -> None:
    """A box made by root writes as nobody, so nobody owns what a step may write to."""
    os.chmod(folder, 0o755)
    if os.geteuid() == 0:
        for at, _, names in os.walk(folder):
            for path in (at, *(os.path.join(at, name) for name in names)):
                os.chown(path, box.NOBODY, box.NOBODY)


class Step:
    """One command in one box, from its start to the last of its processes."""

    def __init__(self, agent: Agent, work: str, request: Mapping[str, Any], stdin: bytes) -> None:
        self.agent, self.work, self.request, self.limits = agent, work, request, request["limits"]
        self.stdin = memoryview(stdin)
        self.output: list[bytes] = []
        self.output_bytes, self.tail = 0, b""
        # The descriptors that are still open, both ends or ours alone.
        self.pipes: dict[str, tuple[int, ...]] = {}
        self.pid = 0
        self.cpu, self.peak, self.killed, self.told = 0.0, 0, "", b""

    def run(self) -> Frame:
        """The step's measures and its output."""
        self.pipes = {name: os.pipe() for name in ("stdin", "stdout", "stderr", "status", "ready", "go")}
        if os.geteuid() == 0:
            # /dev/stdin and its like open the pipe anew, with the rights of whoever the candidate is outside.
            for name, end in (("stdin", 0), ("stdout", 1), ("stderr", 1)):
                os.fchown(self.pipes[name][end], box.NOBODY, box.NOBODY)
        began = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            self.child()
        for name, end in (("stdin", 0), ("stdout", 1), ("stderr", 1), ("status", 1), ("ready", 1), ("go", 0)):
            os.close(self.pipes[name][end])
            self.pipes[name] = (self.pipes[name][1 - end],)
        self.pipes["ended"] = (os.pidfd_open(self.pid),)
        try:
            self.let_go()
            self.watch(began)
        finally:
            self.end()
        return self.answer(time.monotonic() - began)

    def let_go(self) -> None:
        """The child has its users mapped and may go on."""
        if self.agent.isolated and os.read(self.pipes["ready"][0], 1):
            box.map_users(self.pid)
            os.write(self.pipes["go"][0], b"1")

    def child(self) -> NoReturn:
        """Never returns: becomes the first process of the box, and the candidate below it."""
        try:
            box.prctl(box.PDEATHSIG, signal.SIGKILL)
            os.setsid()
            for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
                os.dup2(self.pipes[name][0 if number == 0 else 1], number)
            self.keep({self.pipes["status"][1], self.pipes["ready"][1], self.pipes["go"][0]})
            if self.agent.isolated:
                self.isolate()
            self.candidate()
        except (OSError, ValueError) as error:
            self.report({"failed": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(1)

    def keep(self, wanted: set[int]) -> None:
        """No descriptor but the standard and the wanted ones is open: a box's first process holds nothing else."""
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in wanted:
                with contextlib.suppress(OSError):
                    os.close(int(name))

    def isolate(self) -> NoReturn:
        """The box is furnished; its first process runs the candidate and reports how it ended."""
        box.enter(self.pipes["ready"][1], self.pipes["go"][0])
        request = self.request
        box.furnish(self.agent.root, self.work, self.limits["file_bytes"], request["build"], request["system"])
        first = os.fork()
        if first:
            os.waitpid(first, 0)
            os._exit(0)
        box.prctl(box.PDEATHSIG, signal.SIGKILL)
        box.prctl(box.DUMPABLE, 0)
        box.close_door()
        box.lock()
        status = box.first_process(self.candidate)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.report({"status": status, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024})
        os._exit(0)

    def candidate(self) -> NoReturn:
        """Never returns: limits first, then the program."""
        limits = self.limits
        cpu = int(limits["cpu_s"]) + 2
        for what, value in (
            (resource.RLIMIT_CPU, cpu),
            (resource.RLIMIT_FSIZE, limits["file_bytes"]),
            (resource.RLIMIT_NPROC, limits["processes"] if self.agent.isolated else max(256, limits["processes"])),
            (resource.RLIMIT_NOFILE, 1024),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(what)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(what, (value, value))
        stack = resource.getrlimit(resource.RLIMIT_STACK)[1]
        soft = limits["stack_bytes"] if stack == resource.RLIM_INFINITY else min(limits["stack_bytes"], stack)
        resource.setrlimit(resource.RLIMIT_STACK, (soft, stack))
        os.chdir("/work" if self.agent.isolated else self.work)
        if not self.agent.isolated:
            box.become_nobody()
            box.prctl(box.PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        argv = self.request["argv"]
        try:
            os.execve(argv[0], argv, self.request["environment"])
        except OSError as error:
            if argv[0].startswith("/"):
                self.report({"failed": f"cannot start {argv[0]}: {error}"})
            os.write(2, f"cannot start {argv[0]}: {error}\n".encode())
        os._exit(127)

    def report(self, told: Mapping[str, Any]) -> None:
        """The agent learns how the box ended, over a pipe that closes on exec."""
        os.write(self.pipes["status"][1], json.dumps(told).encode())

    def watch(self, began: float) -> None:
        """Input is fed, output is read and the tree is measured until the program has ended or a limit ends it."""
        poll = select.poll()
        names = {self.pipes[name][0]: name for name in ("stdout", "stderr", "status")}
        for descriptor in names:
            os.set_blocking(descriptor, False)
            poll.register(descriptor, select.POLLIN)
        ended = self.pipes["ended"][0]
        poll.register(ended, select.POLLIN)
        poll.register(0, select.POLLHUP)
        feed = self.pipes["stdin"][0]
        os.set_blocking(feed, False)
        self.feed(feed, poll)
        sampled = began
        while not self.killed:
            pause = SAMPLE_S if sampled - began < 1 else LATE_SAMPLE_S
            for descriptor, _ in poll.poll(max(0.0, sampled + pause - time.monotonic()) * 1000):
                if descriptor == 0:
                    raise SystemExit("the caller is gone")
                if descriptor == ended:
                    return self.drain(names)
                if descriptor == feed:
                    self.feed(feed, poll)
                elif not self.take(descriptor, names[descriptor]):
                    poll.unregister(descriptor)
            now = time.monotonic()
            if now - sampled >= pause:
                sampled = now
                self.sample()
            self.killed = self.beyond(now - began)
        return None

    def drain(self, names: Mapping[int, str]) -> None:
        """Whatever the ended program had written is read; every process is gone, so nothing more can come."""
        if not self.agent.isolated:
            _, status, usage = os.wait4(self.pid, 0)
            told = {"status": status, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024}
            self.told = json.dumps(told).encode()
        self.kill_tree()
        for descriptor, name in names.items():
            while self.take(descriptor, name, ended=True) and self.output_bytes <= self.limits["output_bytes"]:
                pass

    def beyond(self, wall: float) -> str:
        """The limit that the step is beyond, if any."""
        limits = self.limits
        if self.output_bytes > limits["output_bytes"]:
            return "output"
        if self.peak > limits["memory_bytes"]:
            return "memory"
        if self.cpu > limits["cpu_s"]:
            return "cpu"
        return "wall" if wall > limits["wall_s"] else ""

    def feed(self, descriptor: int, poll: select.poll) -> None:
        """The program has as much input as it takes now; the pipe is closed behind the last byte."""
        try:
            while self.stdin:
                self.stdin = self.stdin[os.write(descriptor, self.stdin[:CHUNK]) :]
        except BlockingIOError:
            poll.register(descriptor, select.POLLOUT)
            return
        except BrokenPipeError:
            pass
        with contextlib.suppress(KeyError):
            poll.unregister(descriptor)
        os.close(descriptor)
        self.pipes["stdin"] = ()

    def take(self, descriptor: int, name: str, ended: bool = False) -> bool:
        """Reads what is there; false once everybody has closed the other end, or, when ended, once nothing is left."""
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return not ended
        if name == "stdout" and data:
            self.output_bytes += len(data)
            self.output.append(data)
        elif name == "stderr":
            self.tail = (self.tail + data)[-TAIL:]
        else:
            self.told += data
        return bool(data)

    def sample(self) -> None:
        """CPU and memory of every process of the box, from outside."""
        cpu, memory = 0.0, 0
        # The two processes of ours that hold a box are small copies of the agent, not the program's memory.
        ours = {self.pid, *box.children(self.pid)} if self.agent.isolated else set()
        for pid in box.descendants(self.pid):
            try:
                with open(f"/proc/{pid}/stat", "rb") as file:
                    fields = file.read().rsplit(b")", 1)[1].split()
            except OSError:
                continue
            cpu += sum(int(fields[n]) for n in (11, 12, 13, 14)) / TICK
            memory += 0 if pid in ours else max(0, int(fields[21])) * PAGE
        self.cpu, self.peak = max(self.cpu, cpu), max(self.peak, memory)

    def kill_tree(self) -> None:
        """No process of the box is left: killing its first process ends a namespace; without one the tree is walked."""
        for _ in range(100):
            left = [pid for pid in box.descendants(self.pid) if pid != self.pid] if not self.agent.isolated else []
            left += [pid for pid in box.children(os.getpid()) if pid != self.pid]
            for pid in (self.pid, *left):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            time.sleep(0.001)

    def end(self) -> None:
        """Every process is gone and every pipe is closed."""
        self.kill_tree()
        for descriptor in (descriptor for ends in self.pipes.values() for descriptor in ends):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def answer(self, wall: float) -> Frame:
        """What happened, in raw measures; which limit ended it, if one did."""
        told = json.loads(self.told) if self.told else {}
        cpu = max(self.cpu, told.get("cpu", 0.0))
        # A child inherits its parent's high-water mark until it executes: the agent's own few MB, which is no measure.
        peak = max(self.peak, told.get("peak", 0))
        self.cpu, self.peak = cpu, peak
        self.killed = self.killed or self.beyond(0.0)
        return {
            "failed": told.get("failed", "" if told or self.killed else "the box ended without a word"),
            "status": told.get("status"),
            "killed": self.killed,
            "cpu_s": cpu,
            "wall_s": wall,
            "peak_memory_bytes": peak,
            "output_bytes": self.output_bytes,
            "measured_by": "rusage and process tree",
        }, [b"".join(self.output), self.tail]


def main() -> None:
    """Serves requests until the caller is gone."""
    scratch, isolated = sys.argv[1], sys.argv[2] == "isolated"
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # The tree of a box without namespaces is found below us, orphans included.
    box.LIBC.prctl(box.SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)
    agent = Agent(scratch, isolated)
    folders: dict[str, str] = {}
    while (frame := read_frame(requests)) is not None:
        request, blobs = frame
        if request["op"] == "program":
            folders[request["program"]] = agent.artefact(dict(zip(request["names"], blobs, strict=True)))
            write_frame(answers, {})
        elif request["op"] == "drop":
            shutil.rmtree(folders.pop(request["program"]), ignore_errors=True)
            write_frame(answers, {})
        else:
            told, parts = agent.step(folders[request["program"]], request, blobs[0])
            write_frame(answers, told, parts)


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(sys.argv[1], ignore_errors=True)
