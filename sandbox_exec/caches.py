"""Folders that builds only read: filled once per machine and toolchain by building a program of the pack's own.

Go, for example, compiles its standard library on the first build, which takes thirty times as long as the second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tasklake.sandbox_exec.channel import File
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages import Language

# The build that fills a cache finds it in its own folder, which is collected afterwards.
INSIDE = "tasklake-cache"
# Where large files outlive a reboot; not /tmp, which every box has for itself.
PLACE = "/var/tmp"
# Empty folders are kept by a file: a compiler that may not write cannot make them.
FILLING = (
    f'export {{variable}}="$PWD/{INSIDE}"; "$@" && '
    'find "${variable}" -type d -empty -exec touch "{{}}/.empty" ";"'
)

# Runs the pack's build of a program, under a shell line that comes first, and yields the files that were made.
Build = Callable[[bytes, str], Sequence[File]]


class CacheError(TasklakeError):
    """A folder for prewarmed caches cannot be trusted or filled."""


def prewarmed(pack: Language, toolchain: str, build: Build) -> dict[str, str]:
    """The pack's cache variables, each with its folder, filled where it was not there yet."""
    return {variable: str(_folder(pack, toolchain, variable, program, build)) for variable, program in pack.caches}


def _folder(pack: Language, toolchain: str, variable: str, program: str, build: Build) -> Path:
    key = json.dumps([pack.digest(), toolchain, variable, program, FILLING])
    folder = root() / f"{pack.id}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if not folder.exists():
        _fill(folder, build(program.encode(), FILLING.format(variable=variable)))
    return folder


def root() -> Path:
    """A folder of this user's alone to write, and of all to read: candidates run as another user."""
    root = Path(PLACE) / f"tasklake-caches-{os.geteuid()}"
    root.mkdir(mode=0o755, exist_ok=True)
    found = root.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise CacheError(f"{root} is not a folder that only this user can write to; remove it")
    return root


def _fill(folder: Path, files: Sequence[File]) -> None:
    """The folder holds what the build left in its own."""
    with made_once(folder) as partial:
        for name, executable, data in files:
            inside = Path(name)
            if inside.parts[0] == INSIDE:
                target = partial.joinpath(*inside.parts[1:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                target.chmod(0o755 if executable else 0o644)


@contextmanager
def made_once(folder: Path) -> Iterator[Path]:
    """To be filled, and then this folder, whole: who is killed leaves none, and who comes second uses the first's."""
    partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        partial.chmod(0o755)
        yield partial
        try:
            partial.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
