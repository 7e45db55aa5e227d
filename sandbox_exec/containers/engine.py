"""The Docker engine of this machine, as DOCKER_HOST names it: reached over its socket, and asked what it can hold."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import cache
from typing import Any

# Where an engine listens whose address nobody has named.
USUAL = "unix:///var/run/docker.sock"
# An engine tells what it is in some hundredths of a second; on a busy machine a container may take this long to start.
QUICK_S, LONG_S = 5.0, 60.0
# What the engine tells about itself, each with what is not held where it says no.
HELD = {"MemoryLimit": "memory", "PidsLimit": "the number of processes"}
MISSING = "the Python package docker is not installed; pip install 'tasklake[docker]'"


def why_not() -> str:
    """Why no box can be made by an engine here, or nothing; told at once, without a container."""
    try:
        from docker.errors import DockerException
    except ImportError:
        return MISSING
    told = _deaf(address())
    if told:
        return told
    try:
        return _lacking(client(QUICK_S).info())
    except (DockerException, OSError) as error:
        return f"the Docker engine at {address()} does not answer as one: {error}"


def address() -> str:
    """Where the engine listens."""
    from docker.utils import kwargs_from_env

    return str(kwargs_from_env().get("base_url", USUAL)).replace("http+unix", "unix")


def path() -> str:
    """The engine's socket."""
    return "/" + address().removeprefix("unix://").lstrip("/")


def client(timeout: float = LONG_S) -> Any:
    """A client of the engine, one for all threads of this process."""
    return _client(os.getpid(), address(), timeout)


# By process: a client holds connections, which two processes must not share.
@cache
def _client(process: int, where: str, timeout: float) -> Any:
    import docker

    return docker.DockerClient(base_url=where, timeout=timeout)


def _deaf(where: str) -> str:
    """Why nobody is heard there, or nothing."""
    if not where.startswith("unix://"):
        return f"the Docker engine is at {where}; a box needs one on this machine, on a socket such as {USUAL}"
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(QUICK_S)
        try:
            probe.connect(path())
        except FileNotFoundError:
            return f"no Docker engine is at {path()}; start one, or name its socket by DOCKER_HOST"
        except PermissionError:
            return f"this user may not speak to the Docker engine at {path()}; add the user to that socket's group"
        except OSError as error:
            return f"the Docker engine at {path()} does not answer ({error.strerror or error}); is dockerd running?"
    return ""


def _lacking(told: Mapping[str, Any]) -> str:
    """What the engine cannot hold, or nothing: it would make containers without those limits, and say nothing."""
    lacking = [what for name, what in HELD.items() if not told.get(name)]
    if not lacking:
        return ""
    driver = told.get("CgroupDriver", "none")
    return f"the Docker engine cannot limit {' and '.join(lacking)} here (its cgroup driver: {driver})"
