"""A container with one agent in it: hardened, warm for as long as the agent lives, and gone with it.

They meet on a socket in a folder of ours: it is quick, and its end is the agent's end, whatever becomes of the engine.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from tasklake.sandbox_exec.agent.fence import BOX
from tasklake.sandbox_exec.agent.walls import INODE_BYTES, LEAST_NAMES
from tasklake.sandbox_exec.channel import ENDING_S, ENVIRONMENT, STARTER, AgentDied, Kind
from tasklake.sandbox_exec.containers import engine
from tasklake.sandbox_exec.containers.image import MEETING, image, shown
from tasklake.sandbox_exec.containers.reaper import MARK, OWNER, owner
from tasklake.sandbox_exec.containers.toolchains import PYTHON
from tasklake.sandbox_exec.containers.watch import WATCH
from tasklake.sandbox_exec.limits import MIB

# Users that no system has given out (https://systemd.io/UIDS-GIDS): whoever breaks out is nobody at all.
USERS = range(60706, 61184)
# What an engine gives a container that asks for nothing, and what runtimes expect to find.
SHARED_MEMORY = 64 * MIB
# The agent's own: an interpreter, a program with its files, and an input.
OWN_MEMORY = 512 * MIB
# The agent has two threads.
OWN_PROCESSES = 2
# How long a busy machine may take from a container's start to its agent's first word, and how often we look meanwhile.
STARTING_S, LOOK_S = 60.0, 0.5
PAUSE_S = 0.02
# There where this machine's groups are of the newer kind.
UNIFIED = "/sys/fs/cgroup/cgroup.controllers"
# Comes before what every agent is started by: its input and output are the caller's socket.
JOINING = (
    "import os,socket\n"
    "s=socket.socket(socket.AF_UNIX)\n"
    f"s.connect({f'{MEETING}/agent'!r})\n"
    "for n in (0,1): os.dup2(s.fileno(),n)\n"
    "os.dup2(os.open('/dev/null',os.O_RDWR),2)\n"
    "s.close()\n"
)


class Container:
    """A container whose agent has called."""

    def __init__(self, kind: Kind):
        from docker.errors import DockerException

        self.name, self.open = "", True
        WATCH.enter(engine.path())
        try:
            self.socket = self._begun(kind)
        except (DockerException, OSError) as error:
            self.end()
            raise AgentDied(_told(error)) from None
        except BaseException:
            self.end()
            raise

    def _begun(self, kind: Kind) -> socket.socket:
        self.client = engine.client()
        folder = tempfile.mkdtemp(dir=WATCH.folder)
        # Whoever the agent is in there may come in; out here, the folder above lets nobody but us.
        os.chmod(folder, 0o755)
        with socket.socket(socket.AF_UNIX) as listener:
            _listen(listener, folder)
            self.name = self.client.api.create_container(**_description(self.client, kind, folder))["Id"]
            self.client.api.start(self.name)
            called = self._called(listener)
        # Nobody else finds the way in.
        shutil.rmtree(folder)
        return called

    def _called(self, listener: socket.socket) -> socket.socket:
        """The agent's end of the talk, or the news that it will never come."""
        from docker.errors import NotFound

        listener.settimeout(LOOK_S)
        until = time.monotonic() + STARTING_S
        while time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                return listener.accept()[0]
            try:
                running = self.client.api.inspect_container(self.name)["State"]["Running"]
            except NotFound:
                running = False
            if not running:
                raise AgentDied(f"the container ended before its agent spoke; can everybody execute {_python()}?")
        raise AgentDied(f"the container's agent did not reach us within {STARTING_S:.0f} s")

    def end(self) -> None:
        """The container is gone, unless the engine is; then it has ended, or ends with our end of the socket."""
        from docker.errors import DockerException

        if not self.open:
            return
        self.open = False
        try:
            if self.name:
                self._remove()
        except (DockerException, OSError):
            return
        finally:
            WATCH.leave()

    def _remove(self) -> None:
        from docker.errors import APIError, NotFound

        try:
            self.client.api.remove_container(self.name, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            # It has ended by itself, and the engine is at it already.
            if error.status_code != 409:
                raise
        until = time.monotonic() + ENDING_S
        while time.monotonic() < until:
            try:
                self.client.api.inspect_container(self.name)
            except NotFound:
                return
            time.sleep(PAUSE_S)


def _told(error: Exception) -> str:
    """What went wrong with the engine, in its own words where it has any."""
    told = str(getattr(error, "explanation", "") or error)
    if "bind source path does not exist" in told:
        return f"the Docker engine does not see this machine's files, and a box shows them to its programs ({told})"
    return f"the Docker engine made no container: {told}"


def _listen(listener: socket.socket, folder: str) -> None:
    """The socket is the folder's; its path may be longer than a socket's may be."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{handle}/agent")
    finally:
        os.close(handle)
    os.chmod(f"{folder}/agent", 0o666)
    listener.listen()


def _python() -> str:
    return os.path.realpath(sys.executable)


def _description(client: Any, kind: Kind, folder: str) -> dict[str, Any]:
    """All that the engine is told of the container."""
    user = 0 if "user" in kind.off else random.choice(USERS)
    return {
        "image": kind.root or image(client),
        "command": [PYTHON if kind.root else _python(), "-I", "-S", "-c", JOINING + STARTER],
        "entrypoint": [],
        "user": f"{user}:{user}",
        "hostname": "box",
        "working_dir": "/",
        "environment": dict(ENVIRONMENT),
        "labels": {MARK: WATCH.mark, OWNER: owner(os.getpid())},
        # An engine that is stopped need not wait: a first process hears no other signal.
        "stop_signal": "SIGKILL",
        "host_config": client.api.create_host_config(**_hardened(kind, user), mounts=_mounts(kind, folder)),
    }


def _hardened(kind: Kind, user: int) -> dict[str, Any]:
    """What the container may not do and how much it may use; a test can leave each out by its name."""
    from docker.types import LogConfig

    limits, off = dict(kind.inherited), kind.off
    memory = None if "memory" in off else int(limits["memory_bytes"]) + OWN_MEMORY
    return {
        "network_mode": "host" if "network" in off else "none",
        "read_only": "read_only" not in off,
        "cap_drop": [] if "capabilities" in off else ["ALL"],
        "security_opt": [] if "privileges" in off else ["no-new-privileges:true"],
        "pids_limit": -1 if "processes" in off else int(limits["processes"]) + OWN_PROCESSES,
        "mem_limit": memory,
        # As much with swap as without: none.
        "memswap_limit": memory,
        "tmpfs": _tmpfs(limits, user, bounded="scratch" not in off),
        "ipc_mode": "private",
        # Only so does the agent see its own group; the older kind of groups is shown in parts anyway.
        "cgroupns": "private" if os.path.exists(UNIFIED) else None,
        # The agent waits for whatever is left to a first process; an engine may be set to put another there.
        "init": False,
        "auto_remove": True,
        # Nothing is written there, and nobody reads it.
        "log_config": LogConfig(type="none"),
    }


def _tmpfs(limits: Mapping[str, float], user: int, bounded: bool) -> dict[str, str]:
    """The file systems that can be written to: two for candidates, one that the agent lays programs into."""
    usual, size = f"rw,exec,nosuid,nodev,uid={user},gid={user}", int(limits["file_bytes"])

    def bound(size: int) -> str:
        return f",size={size},nr_inodes={max(LEAST_NAMES, size // INODE_BYTES)}" if bounded else ""

    return {
        BOX: f"{usual},mode=755{bound(size)}",
        "/dev/shm": f"{usual},mode=700{bound(min(size, SHARED_MEMORY))}",
        "/prog": f"{usual},mode=755",
    }


def _mounts(kind: Kind, folder: str) -> list[Any]:
    from docker.types import Mount

    # An image of a language brings a system of its own; what this machine has filled for builds is shown beside it.
    own = kind.show if kind.root else shown(kind.show)
    sources = {path: path for path in own} | {MEETING: folder}
    return [Mount(target, source, type="bind", read_only=True) for target, source in sources.items()]
