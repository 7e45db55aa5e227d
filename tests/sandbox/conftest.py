"""Pools by their levels, and a Docker engine of the tests' own, where this machine allows it, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watching import PATIENCE_S

from tasklake.sandbox_exec.backends import IsolationError
from tasklake.sandbox_exec.pool import Pool

# An engine that was killed a moment ago may find parts of itself still running, and give up.
TRIES = 3


class Engine:
    """A dockerd with folders, a socket and a cgroup of its own, and without any network."""

    def __init__(self) -> None:
        # Short, for sockets lie below it.
        self.folder = Path(tempfile.mkdtemp(prefix="tasklake-dockerd-"))
        self.socket = self.folder / "docker.sock"
        self.group = f"tasklake-tests-{os.getpid()}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """What DOCKER_HOST must be."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """It answers."""
        for number in range(TRIES):
            try:
                return self._started()
            except RuntimeError:
                if number == TRIES - 1:
                    raise

    def _started(self) -> None:
        folders = [f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    "dockerd", f"--host={self.address}", f"--pidfile={self.folder}/pid", *folders,
                    "--bridge=none", "--iptables=false", "--ip6tables=false",
                    "--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent=/{self.group}",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text()[-800:])
            time.sleep(0.05)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.settimeout(PATIENCE_S)
            probe.connect(str(self.socket))
            probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 OK" in probe.recv(64)
        return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """It is gone; killed, it leaves the containers that it ran behind."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE_S)
            self.process = None

    def close(self) -> None:
        """Nothing of it is left: neither a process nor a mount, a cgroup or a file."""
        self.stop()
        # What an engine that was killed had started, and no other has found again.
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"{self.folder}/exec/".encode() in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((each for each in mounts if each.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        for group in Path("/sys/fs/cgroup").glob(f"**/{self.group}"):
            for each in (*group.glob("*/"), group):
                with contextlib.suppress(OSError):
                    each.rmdir()


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    """An engine that DOCKER_HOST names for as long as the tests run."""
    pytest.importorskip("docker", reason="the Python package docker is missing; pip install 'tasklake[docker]'")
    if shutil.which("dockerd") is None:
        pytest.skip("dockerd is not installed; apt-get install docker.io")
    if os.geteuid() != 0:
        pytest.skip("only root may start a dockerd")
    made = Engine()
    try:
        made.start()
    except RuntimeError as error:
        made.close()
        pytest.skip(f"dockerd does not run here: {error}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", made.address)
        yield made
    made.close()


@pytest.fixture(scope="module")
def pool_at() -> Iterator[Callable[[str], Pool]]:
    """A pool at a level, made once for the file; where the level does not work, its tests are skipped."""
    made: dict[str, Pool] = {}

    def at(level: str) -> Pool:
        try:
            made[level] = made.get(level) or Pool(isolation=level)
        except IsolationError as error:
            pytest.skip(str(error))
        return made[level]

    yield at
    for pool in made.values():
        pool.close()
