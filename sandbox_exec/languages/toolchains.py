"""Which compiler or interpreter of a language is installed here, in words that change when it does."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from tasklake.sandbox_exec.backends import IsolationError
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages.model import Language
from tasklake.sandbox_exec.languages.reading import PRIVATE
from tasklake.sandbox_exec.limits import BUILD
from tasklake.sandbox_exec.probing import SEARCH_PATH, backend_for, said

# Folders that every box shows anyway; a toolchain elsewhere is shown beside them.
SHOWN = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/")
# What the installer wrote into a language's own folder: what was asked for, and what came of it.
STAMP = "toolchain.json"
# A language's own folder with a root file system in it has it here.
ROOT = "root"
# Asks a shell for a command's path, the language's own folder first.
WHERE = 'PATH="$2:$PATH"; command -v -- "$1"'


# The version command, and the variables that it is given as programs are.
Version = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


class ToolchainMissing(TasklakeError):
    """What a language needs is not installed here; the message says what to install."""


class LevelRefused(ToolchainMissing):
    """The toolchain is installed, and this level of isolation cannot run it; the message says why."""


@dataclass(frozen=True)
class Ground:
    """What a language's programs stand on: its toolchain in words, and what holds the system's folders if not this
    machine does: the folder of a root file system, or an image of an engine.
    """

    toolchain: str
    root: str = ""


def toolchain(pack: Language, backend: ModuleType | None = None) -> str:
    """The version of what builds and runs the language's programs here."""
    return ground(pack, backend).toolchain


def ground(pack: Language, backend: ModuleType | None = None) -> Ground:
    """What programs of the language stand on at that level, or at the strongest that works."""
    try:
        # Only a level that has images is asked for one, and only a root of its own is tried on each level.
        images = getattr(backend, "image_of", None)
        image, told = images(pack.id) if images else ("", "")
        if image:
            return Ground(told, image)
        for folder in pack.show:
            _may_be_shown(folder)
        if pack.install.suite or os.path.isdir(f"{pack.folder}/{ROOT}"):
            return Ground(_of_root(pack, backend), f"{pack.folder}/{ROOT}")
        variables = tuple(pack.variables(BUILD).items()) if pack.version else ()
        version = (tuple(pack.filled(word) for word in pack.version), variables)
        found = Ground(_of_host(tuple(pack.needs()), version, pack.home, (pack.folder, pack.show)))
        if getattr(backend or backend_for("any"), "OWN_EYES", False) and os.geteuid() == 0:
            _must_be_open(pack)
        return found
    except LevelRefused as error:
        raise LevelRefused(f"language {pack.id}: {error}") from None
    except (ToolchainMissing, IsolationError) as error:
        raise ToolchainMissing(f"language {pack.id}: {error}; {pack.advice()}") from None


# For the life of the process: a failure is not kept, so that installing what is missing helps at once.
@cache
def _of_host(
    needs: tuple[str, ...], version: Version, home: tuple[str, ...], folders: tuple[str, tuple[str, ...]]
) -> str:
    """What the version command says, or which files there are."""
    (words, environment), (folder, shown) = version, folders
    found = [_found(command, home, folder) for command in needs]
    if words:
        command, show = resolved(words[0], home, folder)
        told = _told(
            backend_for("any"), ([command, *words[1:]], dict(environment)), (*show, *shown, *own_folder(folder))
        )
        return told + _digest(folder)
    # Without a version to ask for, only the file itself tells an upgrade.
    real = [os.path.realpath(path) for path in found]
    return ", ".join(f"{path} sha256:{_file_digest(path)}" for path in real) or "no toolchain"


@cache
def _of_root(pack: Language, backend: ModuleType | None) -> str:
    """What the installer found in the root file system, once a command of it has run in a box of the level."""
    folder, root = pack.folder, f"{pack.folder}/{ROOT}"
    if getattr(backend, "IMAGES_ONLY", False):
        raise LevelRefused(f"a container of it needs its image: tasklake languages image {pack.id}")
    if not os.path.isdir(root):
        raise ToolchainMissing("the root file system with its toolchain is not installed")
    found = [resolved(command, (), folder, root)[0] for command in (*pack.needs(), *pack.version[:1])]
    words = [found[-1], *map(pack.filled, pack.version[1:])] if pack.version else ["/bin/sh", "-c", "echo 1"]
    level = backend or backend_for("any")
    try:
        _told(level, (words, pack.variables(BUILD)), pack.show, root)
    except ToolchainMissing as error:
        raise LevelRefused(f"{error} (in {root}, at the level {level.NAME})") from None
    return stamped(folder).get("toolchain", "") or f"root file system{_digest(folder)}"


def stamped(folder: str) -> dict[str, str]:
    """What the installer wrote into the folder; nothing where somebody else has made it."""
    try:
        held = json.loads(Path(folder, STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _digest(folder: str) -> str:
    """Which version of the language's own folder there is, in brackets."""
    try:
        target = os.path.basename(os.readlink(folder))
    except OSError:
        return ""
    return f" ({target.removeprefix(os.path.basename(folder) + '-')})"


def own_folder(folder: str) -> tuple[str, ...]:
    """The language's own folder, where a box has to be told of it."""
    return () if folder.startswith(SHOWN) or not os.path.isdir(folder) else (folder, os.path.realpath(folder))


def _found(command: str, home: tuple[str, ...] = (), folder: str = "", root: str = "") -> str:
    """Where the command is: in the root, the language's own folder, a toolchain's home, or found by its name."""
    if root:
        paths = (f"{each}/{command}" for each in (f"{folder}/bin", *SEARCH_PATH.split(":")))
        path = next((path for path in paths if os.path.lexists(root + path)), None)
    else:
        inside = os.path.join(_home(home), "bin", command) if home else ""
        own = os.path.join(folder, "bin", command) if folder else ""
        path = shutil.which(own) or shutil.which(inside) or shutil.which(command, path=SEARCH_PATH)
        path = path or shutil.which(command)
    if path is None:
        raise ToolchainMissing(f"the command {command} is not installed" + (f" in {root}" if root else ""))
    return path


def _home(patterns: tuple[str, ...]) -> str:
    """The newest folder of the first pattern that there is any of: versions are ordered by their numbers."""
    for pattern in patterns:
        found = [path for path in glob.glob(os.path.expanduser(pattern)) if os.path.isdir(path)]
        if found:
            return max(found, key=_natural)
    return ""


def _natural(path: str) -> list[tuple[int, str]]:
    """Orders 1.9 before 1.10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path) if part]


def _told(
    backend: ModuleType, command: tuple[list[str], dict[str, str]], show: tuple[str, ...] = (), root: str = ""
) -> str:
    """The first line that the command writes in a box."""
    try:
        return said(backend, *command, show=show, root=root)
    except ValueError as error:
        raise ToolchainMissing(f"its toolchain does not tell its version: {error}") from None


def _file_digest(path: str) -> str:
    with open(path, "rb") as file:
        # Twelve digits tell two builds of one program apart.
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


@cache
def resolved(command: str, home: tuple[str, ...] = (), folder: str = "", root: str = "") -> tuple[str, tuple[str, ...]]:
    """The command's path, and the folder that a box has to show for it beyond the system's own."""
    if root and not root.startswith("/"):
        return (command if "/" in command else _in_image(command, folder, root)), ()
    if root or ("/" in command and not command.startswith("/")):
        return (command if "/" in command else _found(command, folder=folder, root=root)), ()
    found = command if command.startswith("/") else _found(command, home, folder)
    real = str(Path(found).resolve())
    if real.startswith(SHOWN):
        return found if found.startswith(SHOWN) else real, ()
    return real, (_around(real), *own_folder(folder))


def _around(command: str) -> str:
    """The toolchain's folder: what holds the `bin` with the command, or only where that lies."""
    place = Path(command).parent
    if place.name == "bin" and not _is_more(place.parent):
        return str(place.parent)
    if _is_more(place):
        raise ToolchainMissing(
            f"a box that shows the command {command} would show all of {place}; put it into a folder of its own, such "
            f"as /opt/{Path(command).name}/bin"
        )
    return str(place)


def _is_more(folder: Path) -> bool:
    """True for what holds more than a toolchain: a home, ~/.local, a folder around them, or one next to the root."""
    home = Path(os.path.expanduser("~")).resolve()
    homes = folder.parent == Path("/home") or folder == Path("/root")
    return homes or len(folder.parts) <= 2 or (home / ".local").is_relative_to(folder)


def _must_be_open(pack: Language) -> None:
    """Refuses a toolchain on the way to which there is a folder that root alone may enter."""
    around = (folder for command in pack.needs() for folder in resolved(command, pack.home, pack.folder)[1])
    if closed := next(filter(None, map(_closed, (*around, *pack.show))), ""):
        raise LevelRefused(
            f"its toolchain lies in {closed}, which root alone may enter, and at this level programs are nobody's: "
            "install it elsewhere, or take another level"
        )


@cache
def _closed(folder: str) -> str:
    """The folder on the way to this one that its owner alone may enter, or nothing."""
    way = (Path(folder), *Path(folder).parents)
    return next((str(each) for each in way if each.is_dir() and not each.stat().st_mode & 0o001), "")


def _may_be_shown(folder: str) -> None:
    """Refuses a folder of a pack that a link leads to where no candidate may look."""
    real = Path(folder).resolve()
    if len(real.parts) <= 2 or f"/{real.parts[1]}" in PRIVATE:
        raise ToolchainMissing(f"its pack shows {folder}, which leads to {real}: no box shows that")


def forget() -> None:
    """Toolchains are looked for anew in this process: one was installed, or took another's place."""
    for kept in (_of_host, _of_root, _closed, resolved):
        kept.cache_clear()


def _in_image(command: str, folder: str, image: str) -> str:
    """Where the command is in the image."""
    try:
        return said(backend_for("docker"), ["/bin/sh", "-c", WHERE, "sh", command, f"{folder}/bin"], {}, root=image)
    except (ValueError, IsolationError):
        raise ToolchainMissing(f"the command {command} is not installed in the image {image}") from None
