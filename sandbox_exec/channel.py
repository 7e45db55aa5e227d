"""One warm agent and the talk with it: started without forking its caller, in a process of its own or a container."""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from types import ModuleType
from typing import Any, Protocol

from tasklake.sandbox_exec.agent.tree import children
from tasklake.sandbox_exec.limits import MOST, Limits

# Path inside the program's folder, whether it may be executed, and its bytes.
File = tuple[str, bool, bytes]
Answer = tuple[dict[str, Any], list[bytes]]
# The agent ends a step soon after its wall time; a starved machine may take a minute longer.
SILENCE_S = 60.0
# Sent ahead of an answer, so that the agent never waits for us: as much as a pipe surely holds while nobody reads.
AHEAD_BYTES = 1 << 15
# What an agent says of a command that ran.
MEASURES = {"status", "killed", "cpu_s", "wall_s", "peak", "output_bytes", "measured_by"}
# How much is read at once.
CHUNK = 1 << 18
# Ten thousand files of a build are named in less.
MOST_HEADER = 1 << 24
# More than any output or file of a build may have: what is beyond is no agent's word.
MOST_BYTES = 1 << 32
# How long an agent that has nothing to do any more may take to end.
ENDING_S = 5.0
# How many inputs go out at once behind a quick answer. Behind one that failed or took long the agent stops, and leaves
# aside what was sent before we knew: whatever comes next may not be wanted.
AHEAD = 8
# In the order in which they import one another.
MODULES = ("syscalls", "filter", "cgroup", "tree", "folders", "zygote", "walls", "fence", "step", "serve")
# All of its environment: what the caller's holds is none of its business.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
# CPU limits are given to the kernel in steps, so that agents are shared by programs with similar ones.
CPU_STEPS_S = (10, 60, 600, MOST)


class AgentDied(Exception):
    """The agent ended in the middle of a step; never reaches a caller of the package."""


class Vessel(Protocol):
    """What an agent runs in, with our end of the talk with it."""

    socket: socket.socket

    def end(self) -> None:
        """Nothing of it is left; whoever speaks to it has hung up before."""


@dataclass(frozen=True)
class Zygote:
    """A runtime to be started once, and forked where it comes to its program: by opening it, or by reading from it."""

    argv: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    file: str
    at: str
    # Functions of the runtime's own that are called before.
    calls: tuple[str, ...]
    # What is loaded into the runtime for that.
    library: str


@dataclass(frozen=True)
class Kind:
    """What an agent is made for: everything that its candidates inherit and that cannot be changed afterwards."""

    level: str
    # What runs in it: build, run or check. None of them ever shares a box with another.
    role: str
    show: tuple[str, ...]
    inherited: tuple[tuple[str, float], ...]
    # What the system's folders come from in place of this machine's own: a folder, or for containers an image.
    root: str = ""
    # Walls left out; only a test that shows what a wall is good for names any.
    off: tuple[str, ...] = ()
    # The runtime that is forked for each run, in an agent that does nothing else.
    zygote: Zygote | None = None
    # What it is started by, where that is no process of this machine's own.
    vessel: Callable[[Kind], Vessel] | None = None

    @classmethod
    def of(
        cls, backend: ModuleType, limits: Limits, *, role: str = "run", show: tuple[str, ...] = (), root: str = "",
        off: tuple[str, ...] = (),
    ) -> Kind:  # fmt: skip
        """The kind of agent that can run commands under such limits."""
        cpu = next(step for step in CPU_STEPS_S if limits.cpu_s <= step)
        names = ("file_bytes", "processes", "open_files", "stack_bytes")
        inherited = {**{name: getattr(limits, name) for name in names}, "cpu_s": cpu}
        # A level may hold more of the limits from outside, and then has to know them.
        inherited |= backend.inherited(limits) if hasattr(backend, "inherited") else {}
        vessel = getattr(backend, "vessel", None)
        return cls(backend.LEVEL, role, show, tuple(inherited.items()), root, (*backend.OFF, *off), vessel=vessel)


class Child:
    """A process of this machine's own, for an agent to run in."""

    def __init__(self, kind: Kind):
        # Held by nobody else: not even a program that forks while we do.
        self.socket, theirs = socket.socketpair()
        # A session of its own: whoever signals the caller's process group, as Spark does to end its workers, would else
        # end the agent before it could tidy up. Its code comes over its input: no command line shows it.
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", STARTER],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            env=None if "environment" in kind.off else dict(ENVIRONMENT),
            start_new_session=True,
        )
        theirs.close()

    def end(self) -> None:
        """The agent and all that it ran are gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=ENDING_S)
            return
        # Our child only waits for the agent: killed itself, it could not end what the agent leaves, a fork bomb say.
        for pid in children(self.process.pid) or [self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # Where the machine is too busy for that, it goes on by itself.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=SILENCE_S)


class Agent:
    """One warm agent; for one thread at a time."""

    def __init__(self, kind: Kind):
        self.vessel = kind.vessel(kind) if kind.vessel else Child(kind)
        self.socket = self.vessel.socket
        self.stream = self.socket.makefile("rb", CHUNK)
        # True once its state is not known any more: it must not be used again.
        self.lost = False
        # Whether programs are forks of a zygote, and true once that does not fork: they have to be started.
        self.forks, self.unforked = kind.zygote is not None, False
        self.held: object = None
        # How often the agent has stopped.
        self.stopped = 0
        hello: dict[str, Any] = {"level": kind.level, "build": kind.role == "build", "show": kind.show, "off": kind.off}
        hello["root"] = kind.root
        hello["zygote"] = {**asdict(kind.zygote), "variables": dict(kind.zygote.variables)} if kind.zygote else None
        source = agent_source()
        try:
            self._write(struct.pack(">I", len(source)) + source)
            self._send({**hello, "limits": dict(kind.inherited)}, [])
            told, _ = self._receive(0.0)
            if told["failed"]:
                raise AgentDied(told["failed"])
        except AgentDied:
            self.close()
            raise

    def program(self, files: Sequence[File]) -> None:
        """The agent's program is this one; nothing is sent where it holds it already."""
        if self.held != files:
            self._send({"op": "program", "files": [file[:2] for file in files]}, [file[2] for file in files])
            self.held = files

    def run(
        self, argv: Sequence[str], environment: Mapping[str, str], limits: Limits, inputs: Sequence[bytes],
        *, collect: bool = False,
    ) -> Generator[Answer, None, None]:  # fmt: skip
        """What running the command on each input in turn showed; the caller may stop listening at any time."""
        told = {**vars(limits), "wall_s": limits.wall}
        header = {"op": "run", "argv": list(argv), "environment": environment, "limits": told, "collect": collect}
        sent = received = 0
        most = 1
        try:
            while received < len(inputs):
                # The next ones go out before the last answer comes: the agent never waits for us.
                if sent - received < 2 and sent < len(inputs):
                    some = _ahead(inputs, sent, most)
                    if sent == received or len(inputs[sent]) <= AHEAD_BYTES:
                        self._send({**header, "stopped": self.stopped}, some)
                        sent += len(some)
                        continue
                answer = self._answer(limits.wall)
                received += 1
                sent, most = (received, 1) if answer[0].get("stops") else (sent, AHEAD)
                yield answer
        finally:
            while received < sent and not self.lost:
                received += 1
                with contextlib.suppress(AgentDied):
                    sent = received if self._answer(limits.wall)[0].get("stops") else sent

    def _answer(self, wall: float) -> Answer:
        """What the agent says of the next input that it has run."""
        answer = self._receive(wall)
        told = answer[0]
        if told.get("unforked"):
            self.unforked = True
            raise self._died(told["failed"])
        if not told["failed"] and not told.keys() >= MEASURES:
            raise self._died("the agent left out what it measured")
        self.stopped += bool(told.get("stops"))
        return answer

    def _send(self, header: Mapping[str, Any], blobs: Sequence[bytes]) -> None:
        text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
        start = struct.pack(">I", len(text)) + text
        if sum(map(len, blobs)) <= AHEAD_BYTES:
            self._write(b"".join((start, *blobs)))
            return
        for part in (start, *blobs):
            self._write(part)

    def _write(self, data: bytes) -> None:
        try:
            self.socket.settimeout(SILENCE_S)
            self.socket.sendall(data)
        except OSError as error:
            raise self._died(str(error)) from None

    def _receive(self, wall: float) -> Answer:
        self.socket.settimeout(wall + SILENCE_S)
        try:
            length = struct.unpack(">I", self._read(4))[0]
            header = json.loads(self._read(min(length, MOST_HEADER)))
            sizes = _sizes(header)
            return header, [self._read(size) for size in sizes]
        except (OSError, ValueError, RecursionError) as error:
            raise self._died(str(error)) from None

    def _read(self, size: int) -> bytes:
        data: bytes = self.stream.read(size)
        if len(data) < size:
            raise self._died("the agent ended")
        return data

    def _died(self, why: str) -> AgentDied:
        self.lost = True
        return AgentDied(why)

    def close(self) -> None:
        """The agent and all that it ran are gone."""
        self.lost = True
        # Whoever is reading holds the stream until something comes, or its end does.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.stream.close()
        self.socket.close()
        self.vessel.end()


def _sizes(header: Any) -> list[int]:
    """How long each part behind the header is; raises ValueError for what no agent says."""
    sizes = header.pop("blobs", None) if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not isinstance(header.get("failed"), str):
        raise ValueError("the agent said what no agent says")
    if not all(type(size) is int and 0 <= size <= MOST_BYTES for size in sizes):
        raise ValueError("the agent named a size that cannot be")
    return sizes


def _ahead(inputs: Sequence[bytes], begin: int, most: int) -> list[bytes]:
    """The next inputs that go out together: as many as are small, or one."""
    some, size = [inputs[begin]], len(inputs[begin])
    for each in inputs[begin + 1 : begin + most]:
        size += len(each)
        if size > AHEAD_BYTES:
            break
        some.append(each)
    return some


# Reads the agent's modules from its input, unbuffered, and becomes the agent.
STARTER = (
    "import os,sys\n"
    "def read(n):\n"
    " b=b''\n"
    " while len(b)<n: b+=os.read(0,n-len(b))or sys.exit()\n"
    " return b\n"
    "exec(compile(read(int.from_bytes(read(4),'big')),'agent','exec'))\n"
)


@cache
def agent_source() -> bytes:
    """One text that holds the agent's modules, so that it runs without this package on its path, even from a zip."""
    package = "tasklake.sandbox_exec.agent"
    folder = importlib.resources.files(package)
    texts = [(f"{package}.{name}", folder.joinpath(f"{name}.py").read_text(encoding="utf-8")) for name in MODULES]
    return (
        "import sys, types\n"
        f"for name in ('tasklake', 'tasklake.sandbox_exec', {package!r}):\n"
        "    sys.modules[name] = types.ModuleType(name)\n"
        f"for name, text in {texts!r}:\n"
        "    module = sys.modules[name] = types.ModuleType(name)\n"
        f"    setattr(sys.modules[{package!r}], name.rpartition('.')[2], module)\n"
        "    exec(compile(text, name, 'exec'), module.__dict__)\n"
        "module.serve_caller()\n"
    ).encode()
