"""A process beside this one for as long as it has containers: takes away what is left when this one is killed."""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid

from tasklake.sandbox_exec.channel import ENDING_S, ENVIRONMENT


class Watch:
    """Started by the first container of this process, and ended by the last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users, self.owner = 0, os.getpid()
        # Names the containers of this process; the folder is where their agents meet it.
        self.mark, self.folder = "", ""

    def enter(self, path: str) -> None:
        """Somebody watches; whoever enters must leave."""
        with self.lock:
            if self.owner != os.getpid():
                # A process that was forked has none of its parent's containers.
                self.users, self.owner = 0, os.getpid()
            if not self.users:
                self._start(path)
            self.users += 1

    def leave(self) -> None:
        """Nobody watches any more, once everybody has left."""
        with self.lock:
            self.users -= 1
            if self.users:
                return
            try:
                self.process.communicate(b".", timeout=ENDING_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, path: str) -> None:
        source = importlib.resources.files(__package__).joinpath("reaper.py").read_text(encoding="utf-8")
        self.mark, self.folder = uuid.uuid4().hex, tempfile.mkdtemp(prefix="tasklake-docker-")
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", source, path, self.mark, self.folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(ENVIRONMENT),
                start_new_session=True,
            )
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(self.folder)
            raise


WATCH = Watch()
