"""The folders of toolchains: filled beside the one in use, and put in its place by a rename, whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from tasklake.sandbox_exec.installing.tools import InstallError, ran
from tasklake.sandbox_exec.languages import Install, Language
from tasklake.sandbox_exec.languages.toolchains import STAMP, forget, stamped

# What is being filled, or about to be a link, begins so: what a killed installation left is known by it.
UNFINISHED = ".making-"
DIGITS = 12


@contextlib.contextmanager
def alone(place: Path) -> Iterator[None]:
    """Nobody else installs there; what a killed installation left is gone."""
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(place / ".lock", "w", encoding="utf-8") as lock:
        try:
            os.set_inheritable(lock.fileno(), True)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InstallError(f"somebody else is installing into {place}; wait for it") from None
        swept(place)
        yield


def swept(place: Path) -> list[str]:
    """Removes what is not finished, and the versions that no link leads to any more."""
    links = {each.name: os.readlink(each) for each in place.iterdir() if each.is_symlink()}
    gone = []
    for each in sorted(place.iterdir()):
        old = each.is_dir() and (each / STAMP).is_file() and each.name not in links.values()
        if each.name.startswith(UNFINISHED) or (old and not each.is_symlink()):
            removed(each)
            gone.append(each.name)
    return gone


def removed(path: Path) -> None:
    """Nothing is there; folders that their builder has closed are opened first, and mounts are never gone into."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for each in reversed(mounts(path)):
        # A builder that was killed leaves this machine's own devices and processes mounted in there.
        ran(["umount", "--lazy", each])
    if mounts(path):
        raise InstallError(f"{path} holds mounts, which are not removed; unmount {mounts(path)[0]}")
    for folder, _, _ in os.walk(path):
        with contextlib.suppress(OSError):
            os.chmod(folder, 0o700)
    shutil.rmtree(path)


def mounts(path: Path) -> list[str]:
    """What is mounted in the folder, in the order in which it was."""
    lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    # Spaces and the like are written as octal numbers there.
    points = [re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split(" ")[4]) for line in lines]
    return [point for point in points if point.startswith(f"{os.path.realpath(path)}/")]


def asked(install: Install, beside: Path | None = None) -> str:
    """What a pack asks for, in one word: another version asked for, or another source, is another word."""
    told = json.dumps(asdict(install), sort_keys=True)
    source = source_of(install, beside)
    told += content(source) if source is not None and source.is_dir() else ""
    return hashlib.sha256(told.encode()).hexdigest()


def source_of(install: Install, beside: Path | None) -> Path | None:
    """The folder of sources, beside the pack."""
    return beside / install.source if install.source and beside is not None else None


def is_there(pack: Language, beside: Path | None = None) -> bool:
    """True where the language's own folder is what the pack asks for."""
    return os.path.islink(pack.folder) and stamped(pack.folder).get("asked") == asked(pack.install, beside)


@contextlib.contextmanager
def making(pack: Language) -> Iterator[Path]:
    """A folder to fill; gone unless it was put to use."""
    folder = Path(tempfile.mkdtemp(prefix=f"{UNFINISHED}{pack.id}-", dir=pack.place))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if folder.exists():
            removed(folder)


def put_to_use(
    pack: Language, folder: Path, digest: str, toolchain: str = "", beside: Path | None = None,
    tried: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """The language's own folder is that one, once it has been tried there; else it is what it was before."""
    if os.path.lexists(pack.folder) and not os.path.islink(pack.folder):
        raise InstallError(f"{pack.folder} is no link to a version, so nobody here made it; remove it")
    before, name = os.readlink(pack.folder) if os.path.islink(pack.folder) else "", f"{pack.id}-{digest}"
    told, target = {"asked": asked(pack.install, beside), "toolchain": toolchain}, Path(pack.place, name)
    # Nothing that was asked for, until it has been tried: whoever is killed meanwhile installs it anew.
    (folder / STAMP).write_text(json.dumps({**told, "asked": ""}), "utf-8")
    if target.is_dir() and stamped(str(target)) == told:
        removed(folder)
    elif target.exists():
        # What is there was not finished, or asked for otherwise.
        removed(target)
    if folder.exists():
        folder.rename(target)
    with contextlib.ExitStack() as back:
        if before != name:
            back.callback(removed, target)
        back.callback(_lead, pack, before)
        _lead(pack, name)
        tried()
        back.pop_all()
    (target / STAMP).write_text(json.dumps(told), "utf-8")


def _lead(pack: Language, name: str) -> None:
    """The language's own folder is a link to that one, or is not there; what is in it is looked for anew."""
    link = Path(pack.place, f"{UNFINISHED}{pack.id}")
    link.unlink(missing_ok=True)
    if name:
        link.symlink_to(name)
        link.rename(pack.folder)
    else:
        Path(pack.folder).unlink()
    forget()


def content(folder: Path) -> str:
    """A word for all that lies in the folder: names, contents, what is executable, and where links lead."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each != folder / STAMP):
        found = path.lstat()
        told = f"{path.relative_to(folder)}\0{stat.S_IFMT(found.st_mode)}\0{found.st_mode & 0o111}\0"
        digest.update(told.encode(errors="surrogateescape"))
        if path.is_symlink():
            digest.update(os.fsencode(os.readlink(path)))
        elif path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:DIGITS]
