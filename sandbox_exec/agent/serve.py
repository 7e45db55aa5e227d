"""The agent's loop: programs and inputs come in frames over its standard input, measures and outputs go back.

A frame is a JSON header with blobs behind it. An agent never sees an expected output. It ends, with its box, when its
caller does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import stat
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from tasklake.sandbox_exec.agent import fence, walls
from tasklake.sandbox_exec.agent.folders import remove_folder
from tasklake.sandbox_exec.agent.step import Dirty, Step, wipe
from tasklake.sandbox_exec.agent.zygote import PROGRAM

LEVELS = {"namespaces": walls.namespaces, "landlock": fence.landlock, "container": fence.container}
# A build that makes more files, or deeper folders, means harm: each file is sent and written again for every slot.
MOST_FILES, DEEPEST = 10_000, 32
# All their names together: each byte of one may take six in the header of an answer, which the caller bounds.
MOST_NAMED = 1 << 21
# Longer than this is long enough to ask the caller whether he wants the next, which takes a fiftieth of it.
LONG_S = 0.01
# How soon the caller is told again: where commands are quick, waking him up for each takes a tenth of their CPU time.
OFTEN_S = 0.005
# A socket that can be written to at all has room for some ten answers of this size.
SMALL = 1 << 13
Frame = tuple[dict[str, Any], list[bytes]]


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next request, or None when the caller is gone."""
    start = stream.read(4)
    if len(start) < 4:
        return None
    header = json.loads(stream.read(struct.unpack(">I", start)[0]))
    return header, [stream.read(size) for size in header.pop("blobs")]


def write_frame(stream: BinaryIO, header: Mapping[str, Any], blobs: Sequence[Sequence[bytes]] = ()) -> None:
    """The answer is on its way; each blob comes in parts, which nobody puts together before they are there."""
    text = json.dumps({**header, "blobs": [sum(map(len, parts)) for parts in blobs]}).encode()
    stream.write(struct.pack(">I", len(text)) + text)
    for parts in blobs:
        for part in parts:
            stream.write(part)


class Answers:
    """What the caller is told. Small answers wait until the next command runs: the caller is woken up meanwhile."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.late: list[tuple[Mapping[str, Any], Sequence[Sequence[bytes]]]] = []
        self.sent, self.awaited = 0.0, False

    def add(self, told: Mapping[str, Any], blobs: Sequence[Sequence[bytes]] = ()) -> None:
        """Goes out with the next, or when it is time; at once where it could fill all that lies before the caller."""
        self.late.append((told, blobs))
        if sum(len(part) for parts in blobs for part in parts) > SMALL:
            self.send()

    def send(self) -> None:
        """All that was to be told is on its way."""
        for told, blobs in self.late:
            write_frame(self.stream, told, blobs)
        self.late = []
        self.stream.flush()
        self.sent = time.monotonic()

    def send_now(self) -> None:
        """What goes out without waiting for a caller who is busy, and not too often: a command runs, unwatched."""
        due = self.late and (self.awaited or time.monotonic() - self.sent > OFTEN_S)
        if due and select.select([], [self.stream], [], 0)[1]:
            self.send()


class Programs:
    """The program that is run now: its files lie where candidates can read them, linked to from the work folder."""

    def __init__(self, place: walls.Place) -> None:
        self.place, self.count = place, 0
        self.names: list[str] = []

    def install(self, files: Sequence[tuple[str, bool]], blobs: Sequence[bytes]) -> None:
        """These files, and no others, are the program: path and whether it may be executed."""
        for name in os.listdir(self.place.program_fd) if "wipe" not in self.place.off else ():
            remove_folder(self.place.program_fd, name)
        # A runtime that has started before remembers where it was told to look.
        self.count = int(PROGRAM) if self.place.zygote is not None else self.count + 1
        for (path, executable), data in zip(files, blobs, strict=True):
            parts = f"{self.count}/{path}".split("/")
            for depth in range(1, len(parts)):
                self.folder("/".join(parts[:depth]))
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
            descriptor = os.open("/".join(parts), flags, 0o755 if executable else 0o644, dir_fd=self.place.program_fd)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
        self.names = sorted({path.split("/")[0] for path, _ in files})

    def folder(self, path: str) -> None:
        """The folder is there."""
        try:
            os.mkdir(path, 0o755, dir_fd=self.place.program_fd)
        except FileExistsError:
            return

    def link(self) -> None:
        """The work folder holds a name for each file and folder of the program."""
        for name in self.names:
            link = f"{self.place.work}/{name}"
            if "wipe" in self.place.off and os.path.lexists(link):
                os.unlink(link)
            os.symlink(f"{self.place.seen(self.place.program)}/{self.count}/{name}", link)

    def unlink(self) -> None:
        """Those names are gone, which usually leaves nothing; what took the place of one is for others to find."""
        for name in self.names:
            with contextlib.suppress(OSError):
                os.unlink(f"{self.place.work}/{name}")


def collected(
    folder: str, limits: Mapping[str, Any], known: Sequence[str]
) -> tuple[list[tuple[str, bool]], list[bytes]]:
    """What a build made: regular files that are not the program's own, links and closed ones left aside.

    None where they are more, or more bytes, than they may be, or lie deeper than the kernel finds its way.
    """
    files: list[tuple[str, bool]] = []
    blobs: list[bytes] = []
    total = named = 0
    try:
        for path, found in regular_files(folder, 0):
            name = path.removeprefix(f"{folder}/")
            # A build cannot take the place of what it was given.
            if name.split("/")[0] in known:
                continue
            total, named = total + found.st_size, named + len(os.fsencode(name))
            if total > limits["file_bytes"] or named > MOST_NAMED or len(files) == MOST_FILES:
                return [], []
            with contextlib.suppress(PermissionError), open(path, "rb") as file:
                blobs.append(file.read())
                files.append((name, bool(found.st_mode & 0o100)))
    except OSError:
        return [], []
    return files, blobs


def regular_files(folder: str, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    """The regular files below the folder in the order of their names, as far down as any tool would put one."""
    within: list[tuple[str, os.stat_result]] = []
    with contextlib.suppress(PermissionError):
        within = [(path, os.lstat(path)) for path in (f"{folder}/{name}" for name in sorted(os.listdir(folder)))]
    for path, found in within:
        if stat.S_ISREG(found.st_mode):
            yield path, found
        elif stat.S_ISDIR(found.st_mode) and depth < DEEPEST:
            yield from regular_files(path, depth + 1)


def stops(told: Mapping[str, Any]) -> bool:
    """True behind a step that failed or took long: what was sent before the caller knows of it is left aside."""
    return told.get("status") != 0 or told["wall_s"] > LONG_S


def main() -> None:
    """Serves one caller until it is gone."""
    stdin, answers = sys.stdin.buffer, Answers(sys.stdout.buffer)
    hello, _ = read_frame(stdin) or sys.exit()
    off = set(hello["off"])
    inherited = environment() if "environment" in off else {}
    try:
        place = LEVELS[hello["level"]](hello, off)
    except (OSError, StopIteration) as error:
        answers.add({"failed": f"{type(error).__name__}: {error}"})
        return answers.send()
    harden(place, off)
    answers.add({"failed": ""})
    answers.send()
    step = Step(place, answers.send_now)
    step.environment |= inherited
    # A zygote was started with a program, and the folders tell when they were made.
    wipe(place)
    try:
        serve(stdin, answers, step)
    finally:
        answers.send()


def serve(stdin: BinaryIO, answers: Answers, step: Step) -> None:
    """Returns when the caller is gone; raises Dirty when the box has to go."""
    place, programs, stopped = step.place, Programs(step.place), 0
    while frame := read_frame(stdin):
        header, blobs = frame
        if header["op"] == "program":
            try:
                programs.install(header["files"], blobs)
            except OSError as error:
                told = {"failed": f"the program cannot be written: {error.strerror}", "ours": True}
                # Said in answer to what comes next, which is a run.
                if read_frame(stdin):
                    answers.add(told, [[], []])
                raise Dirty(told["failed"]) from None
            continue
        left = len(blobs) if header["stopped"] == stopped else 0
        for given in blobs[:left]:
            left -= 1
            # While the last command runs, the caller has to hear of the others to send the next inputs in time.
            answers.awaited = not left
            programs.link()
            told, made = step.run(header["argv"], header["environment"], header["limits"], given)
            if header["collect"] and told.get("status") == 0:
                files, found = collected(place.work, header["limits"], programs.names)
                told["files"] = files
                made += [[blob] for blob in found]
            last = stops(told)
            answers.add({**told, "stops": last}, made)
            if last or not left:
                answers.send()
            if "wipe" not in place.off:
                programs.unlink()
                wipe(place)
                if step.tree.haunted():
                    raise Dirty("something that the program sent to itself is left in the kernel")
            if time.process_time() > walls.SPARE_CPU_S / 2:
                raise Dirty("this agent has used much of the CPU time that the kernel allows it")
            if last:
                stopped += 1
                break


def environment() -> dict[str, str]:
    """What this process was started with, which is none of the candidates' business."""
    with open("/proc/self/environ", encoding="utf-8", errors="surrogateescape") as file:
        name_and_value = (each.partition("=") for each in file.read().split("\0") if each)
        return {name: value for name, _, value in name_and_value}


def harden(place: walls.Place, off: set[str]) -> None:
    """Candidates can neither interrupt this process nor inherit what it has open."""
    place.off = frozenset(off)
    if "signals" not in off:
        # The one signal that Python itself waits for, and that the first process of a namespace would thus receive.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(place.program_fd, "descriptors" in off)


def serve_caller() -> None:
    """Serves until the caller is gone or this agent has to be replaced by another, with a box of its own."""
    try:
        main()
    except (Dirty, BrokenPipeError):
        os._exit(1)
