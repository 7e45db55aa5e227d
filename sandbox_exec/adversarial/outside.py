"""Things outside of every box that attacks aim at: files, a process, listeners. Nothing of it is anybody's but ours."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
# Whom candidates of root's are outside of their box.
NOBODY = 65534
CREATE, READ_BY_ALL, REMOVE = 0o1000, 0o666, 0
IOPRIO_GET = {"x86_64": 252, "aarch64": 31}
PROGRAM = "#!/bin/sh\necho taken\n"
# Holds the secret file open, has the word in its memory, and ends when its input does.
VICTIM = "read line; : taken"


class Outside:
    """What the text of an attack names, made for it; what has become of it; and its end."""

    def __init__(self, text: str) -> None:
        self.user = NOBODY if os.geteuid() == 0 else os.geteuid()
        self.token = f"tasklake-{uuid.uuid4().hex[:12]}"
        self.top = tempfile.mkdtemp(prefix="tasklake-outside-")
        os.chmod(self.top, 0o711)
        self.folder = Path(self.top, "folder")
        self.listeners: list[socket.socket] = []
        self.victim: subprocess.Popen[bytes] | None = None
        self.segment = -1
        self.visits = 0
        self.places = {"TOKEN": self.token, "FOLDER": str(self.folder), "SECRET": str(self.folder / "secret")}
        self.places["CALLER"] = str(os.getpid())
        self._furnish()
        for name, make in (
            ("TCP", self._tcp), ("UDP", self._udp), ("SOCKET", self._path), ("ABSTRACT", self._abstract),
            ("VICTIM", self._victim), ("KEY", self._segment),
        ):  # fmt: skip
            if f"@{name}@" in text:
                self.places[name] = make()

    def __enter__(self) -> Outside:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for listener in self.listeners:
            listener.close()
        if self.victim:
            self.victim.kill()
            self.victim.communicate()
        if self.segment >= 0:
            LIBC.shmctl(self.segment, REMOVE, None)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"/dev/shm/{self.token}")
        shutil.rmtree(self.top, ignore_errors=True)

    def filled(self, text: str) -> str:
        """The text with every place named."""
        for name, value in self.places.items():
            text = text.replace(f"@{name}@", value)
        return text

    def state(self) -> object:
        """All that an attack could have changed, to be compared with later."""
        return self._files(), self._process(), self._visited(), os.path.exists(f"/dev/shm/{self.token}")

    def _furnish(self) -> None:
        """The folder is the candidate's own, as a plain user's home is."""
        self.folder.mkdir()
        (self.folder / "secret").write_text("taken\n")
        (self.folder / "program").write_text(PROGRAM)
        for path, mode in ((self.folder / "secret", 0o600), (self.folder / "program", 0o700), (self.folder, 0o700)):
            path.chmod(mode)
            if os.geteuid() == 0:
                os.chown(path, self.user, self.user)

    def _tcp(self) -> str:
        return str(self._listening(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))[1])

    def _udp(self) -> str:
        return str(self._listening(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))[1])

    def _path(self) -> str:
        path = os.path.join(self.top, "docker.sock")
        self._listening(socket.AF_UNIX, socket.SOCK_STREAM, path)
        os.chmod(path, 0o666)
        return path

    def _abstract(self) -> str:
        self._listening(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.token}")
        return self.token

    def _listening(self, family: int, kind: int, address: tuple[str, int] | str) -> Any:
        made = socket.socket(family, kind)
        self.listeners.append(made)
        made.bind(address)
        if kind == socket.SOCK_STREAM:
            made.listen()
        made.setblocking(False)
        return made.getsockname()

    def _victim(self) -> str:
        as_candidate: dict[str, Any] = (
            {"user": self.user, "group": self.user, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        self.victim = subprocess.Popen(
            ["sh", "-c", f"exec 9< {self.folder}/secret; {VICTIM}"],
            cwd="/",
            stdin=subprocess.PIPE,
            env={"SECRET": "taken", "PATH": "/usr/bin:/bin"},
            **as_candidate,
        )
        # Open once the shell waits for its input.
        while self.victim.poll() is None and not os.path.exists(f"/proc/{self.victim.pid}/fd/9"):
            time.sleep(0.001)
        return str(self.victim.pid)

    def _segment(self) -> str:
        key = int(self.token[-6:], 16)
        self.segment = LIBC.shmget(key, 4096, CREATE | READ_BY_ALL)
        return str(key)

    def _files(self) -> object:
        found = []
        for path in sorted(self.folder.rglob("*")):
            told = path.lstat()
            times = (told.st_mtime_ns, told.st_ctime_ns)
            found.append((str(path), told.st_mode, told.st_uid, told.st_gid, told.st_size, times, os.listxattr(path)))
        return found

    def _process(self) -> object:
        if self.victim is None:
            return None
        pid = self.victim.pid
        # A signal that it cannot refuse has not always reached it yet.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.victim.wait(0.05)
        if self.victim.returncode is not None:
            return "ended"
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        priority = LIBC.syscall(IOPRIO_GET[os.uname().machine], 1, pid)
        limits = Path(f"/proc/{pid}/limits").read_text()
        where = (os.sched_getaffinity(pid), os.sched_getscheduler(pid), os.getpriority(os.PRIO_PROCESS, pid))
        return state == "T", priority, limits, where

    def _visited(self) -> int:
        for listener in self.listeners:
            with contextlib.suppress(BlockingIOError):
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(64)
                self.visits += 1
        return self.visits
