"""An image with nothing in it but the places where a box shows this machine's own folders: no registry is asked.

Toolchains are thus those of the machine, so that a program is judged the same as on every other level.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tarfile
import threading
from collections.abc import Sequence
from typing import Any

from tasklake.sandbox_exec.agent.fence import BOX
from tasklake.sandbox_exec.agent.walls import SYSTEM

REPOSITORY = "tasklake-sandbox"
# Where an agent finds its caller's socket.
MEETING = "/run/tasklake"
FOLDERS = ("dev", "proc", "sys", "etc", "usr", "opt", "prog", "run", BOX.lstrip("/"))
# What programs call by these names lies in the one file system that they may write to.
LINKS = {"tmp": f"{BOX}/tmp", "work": f"{BOX}/work"}
LOCK = threading.Lock()


def image(client: Any) -> str:
    """The image's name; it is made where the engine does not know it."""
    from docker.errors import ImageNotFound

    data = _archive()
    digest = hashlib.sha256(data).hexdigest()[:16]
    name = f"{REPOSITORY}:{digest}"
    # Made twice at once, one of the two would stay without a name.
    with LOCK:
        try:
            client.api.inspect_image(name)
        except ImageNotFound:
            client.api.import_image_from_data(data, repository=REPOSITORY, tag=digest)
    return name


def shown(more: Sequence[str]) -> list[str]:
    """The machine's folders that a box shows: the system's, those of this Python, and more; none lies in another."""
    wanted = [*SYSTEM, os.path.realpath(sys.base_prefix), *more]
    found: list[str] = []
    for path in sorted({each.rstrip("/") for each in wanted if os.path.isdir(each) and not os.path.islink(each)}):
        if not any(path.startswith(f"{above}/") for above in found):
            found.append(path)
    return found


def _archive() -> bytes:
    """Folders, and the links that this machine has among the system's: always the same bytes."""
    links = {path[1:]: os.readlink(path) for path in SYSTEM if os.path.islink(path)} | LINKS
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in sorted({*FOLDERS, MEETING[1:], *links}):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            if name in links:
                entry.type, entry.linkname = tarfile.SYMTYPE, links[name]
            archive.addfile(entry)
    return data.getvalue()
