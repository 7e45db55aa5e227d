"""The agent's loop: programs and inputs come in frames over its standard input, measures and outputs go back.

A frame is a JSON header with blobs behind it. An agent never sees an expected output. It ends, with its box, when its
caller does.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from tasklake.sandbox_exec.agent import walls
from tasklake.sandbox_exec.agent.step import Dirty, Step, wipe

LEVELS = {"namespaces": walls.namespaces, "landlock": walls.landlock}
Frame = tuple[dict[str, Any], list[bytes]]


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


class Programs:
    """The program that is run now: its files lie where candidates can read them, linked to from the work folder."""

    def __init__(self, place: walls.Place) -> None:
        self.place, self.count = place, 0
        self.names: list[str] = []

    def install(self, files: Sequence[tuple[str, bool]], blobs: Sequence[bytes]) -> None:
        """These files, and no others, are the program: path and whether it may be executed."""
        for name in os.listdir(self.place.program_fd):
            shutil.rmtree(name, dir_fd=self.place.program_fd)
        self.count += 1
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
            os.symlink(f"{self.place.program}/{self.count}/{name}", f"{self.place.work}/{name}")


def collected(folder: str, most: int) -> tuple[list[tuple[str, bool]], list[bytes]]:
    """The regular files below the folder, links left aside; none where they are more than so many bytes."""
    files, blobs, total = [], [], 0
    for at, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(at, name)
            found = os.lstat(path)
            if not stat.S_ISREG(found.st_mode):
                continue
            total += found.st_size
            if total > most:
                return [], []
            with open(path, "rb") as file:
                blobs.append(file.read())
            files.append((os.path.relpath(path, folder), bool(found.st_mode & 0o100)))
    return files, blobs


def main() -> None:
    """Serves one caller until it is gone."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    hello, _ = read_frame(stdin) or sys.exit()
    try:
        place = LEVELS[hello["level"]](hello["limits"], hello["show"], hello["build"], set(hello["off"]))
    except (OSError, StopIteration) as error:
        write_frame(stdout, {"failed": f"{type(error).__name__}: {error}"})
        return
    write_frame(stdout, {"failed": ""})
    programs, step = Programs(place), Step(place)
    while frame := read_frame(stdin):
        header, blobs = frame
        if header["op"] == "program":
            programs.install(header["files"], blobs)
            continue
        for given in blobs:
            programs.link()
            told, made = step.run(header["argv"], header["environment"], header["limits"], given)
            if header["collect"] and told.get("status") == 0:
                files, found = collected(place.work, header["limits"]["file_bytes"])
                told["files"] = files
                made += found
            write_frame(stdout, told, made)
            wipe(place.scratch, place.private)
            if time.process_time() > walls.SPARE_CPU_S / 2:
                raise Dirty("this agent has used much of the CPU time that the kernel allows it")


def serve_caller() -> None:
    """Serves until the caller is gone or this agent has to be replaced by another, with a box of its own."""
    try:
        main()
    except (Dirty, BrokenPipeError):
        os._exit(1)
