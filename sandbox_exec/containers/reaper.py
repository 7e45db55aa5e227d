"""Takes away what a caller that was killed has left to the engine: containers that never started, and its folder.

A program of its own, with the standard library alone: reaper.py SOCKET MARK FOLDER. It ends at once when it reads a
byte, and does its work when it reads none: its caller is gone. A container that runs needs nobody, for it ends with its
caller's socket.
"""

import http.client
import json
import os
import shutil
import socket
import sys
import time
import urllib.parse
from typing import Any

OWNER, MARK = "tasklake.owner", "tasklake"
# What the caller asked for last may still be on its way through the engine.
LINGER_S, PAUSE_S = 5.0, 0.25
# An engine that is away for longer takes away what has ended itself, once it is back.
PATIENCE_S = 60.0


class Engine(http.client.HTTPConnection):
    """The engine behind a socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self) -> None:
        """The socket is connected."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def asked(path: str, method: str, target: str) -> bytes:
    """What the engine answers; it says itself what goes wrong, and nobody is here to be told."""
    engine = Engine(path)
    try:
        engine.request(method, target)
        return engine.getresponse().read()
    finally:
        engine.close()


def listed(path: str, label: str) -> list[dict[str, Any]]:
    """The containers with that label, whether they run or not."""
    wanted = urllib.parse.quote(json.dumps({"label": [label]}))
    return list(json.loads(asked(path, "GET", f"/containers/json?all=1&filters={wanted}")))


def remove(path: str, container: dict[str, Any]) -> None:
    """The container is gone, whatever it does."""
    asked(path, "DELETE", f"/containers/{container['Id']}?force=1&v=1")


def owner(process: int) -> str:
    """Who a process is, among all that there ever were on this machine."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    with open(f"/proc/{process}/stat") as file:
        begun = file.read().rpartition(")")[2].split()[19]
    return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}:{process}:{begun}"


def orphaned(container: dict[str, Any]) -> bool:
    """True where its owner was a process that we could see, and is no more."""
    told = str(container["Labels"][OWNER])
    process = told.split(":")[2]
    here = owner(os.getpid()).split(":")
    if told.split(":")[:2] != here[:2]:
        # Of another boot, or of a process that we cannot see: only what does not run is certainly of no use.
        return told.split(":")[0] != here[0] and str(container["State"]) != "running"
    try:
        return owner(int(process)) != told
    except OSError:
        return True


def main(path: str, mark: str, folder: str) -> None:
    """What dead callers left is gone, and what this one leaves once it has died."""
    try:
        for container in filter(orphaned, listed(path, OWNER)):
            remove(path, container)
    except (OSError, ValueError, http.client.HTTPException):
        pass
    if os.read(0, 1):
        return
    begun = quiet = time.monotonic()
    while time.monotonic() - quiet < LINGER_S and time.monotonic() - begun < PATIENCE_S:
        try:
            for container in listed(path, f"{MARK}={mark}"):
                remove(path, container)
                quiet = time.monotonic()
        except (OSError, ValueError, http.client.HTTPException):
            quiet = time.monotonic()
        time.sleep(PAUSE_S)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
