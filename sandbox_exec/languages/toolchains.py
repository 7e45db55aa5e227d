"""Which compiler or interpreter of a language is installed here, in words that change when it does."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages.model import FOLDER, Language

# A version is told in milliseconds; a minute is a machine that swaps, or a command that waits for input.
VERSION_TIMEOUT_S = 60.0
# Where commands are looked for first, here as inside a box: the toolchain that is named must be the one that runs.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Folders that every box shows anyway; a toolchain elsewhere is shown beside them.
SHOWN = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/")


class ToolchainMissing(TasklakeError):
    """What a language needs is not installed here; the message says what to install."""


def toolchain(pack: Language) -> str:
    """The version of what builds and runs the language's programs here."""
    return _toolchain(pack.id, tuple(pack.needs()), pack.version, pack.home, pack.folder, pack.advice())


# For the life of the process: a failure is not kept, so that installing what is missing helps at once.
@cache
def _toolchain(
    name: str, needs: tuple[str, ...], version: tuple[str, ...], home: tuple[str, ...], folder: str, advice: str
) -> str:
    try:
        found = [_found(command, home, folder) for command in needs]
        if version:
            return _told(_found(version[0], home, folder), *(word.replace(FOLDER, folder) for word in version[1:]))
    except ToolchainMissing as error:
        raise ToolchainMissing(f"language {name}: {error}; {advice}") from None
    # Without a version to ask for, only the file itself tells an upgrade.
    real = [os.path.realpath(path) for path in found]
    return ", ".join(f"{path} sha256:{_file_digest(path)}" for path in real) or "no toolchain"


def _found(command: str, home: tuple[str, ...] = (), folder: str = "") -> str:
    """Where the command is: the language's own, in the folder that the home command tells, or found by its name."""
    inside = os.path.join(_home(home), "bin", command) if home else ""
    own = os.path.join(folder, "bin", command) if folder else ""
    path = shutil.which(own) or shutil.which(inside) or shutil.which(command, path=SEARCH_PATH) or shutil.which(command)
    if path is None:
        raise ToolchainMissing(f"the command {command} is not installed")
    return path


@cache
def _home(words: tuple[str, ...]) -> str:
    """The folder that the words tell, in the first line that they write."""
    return _told(_found(words[0]), *words[1:])


def _told(*words: str) -> str:
    """The first line that the words write, wherever they write it."""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=VERSION_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainMissing(f"{words[0]} does not tell its version: {error}") from None
    lines = (done.stdout.strip() or done.stderr.strip()).decode("utf-8", "replace").splitlines()
    if done.returncode != 0 or not lines:
        said = lines[0] if lines else "nothing"
        raise ToolchainMissing(f"{' '.join(words)} ended with {done.returncode} and said {said}")
    return lines[0].strip()


def _file_digest(path: str) -> str:
    with open(path, "rb") as file:
        # Twelve digits tell two builds of one program apart.
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


@cache
def resolved(command: str, home: tuple[str, ...] = (), folder: str = "") -> tuple[str, tuple[str, ...]]:
    """The command's path, and the folder that a box has to show for it beyond the system's own."""
    if "/" in command:
        return command, ()
    found = _found(command, home, folder)
    real = str(Path(found).resolve())
    return (found, ()) if real.startswith(SHOWN) else (real, (str(Path(real).parent.parent),))
