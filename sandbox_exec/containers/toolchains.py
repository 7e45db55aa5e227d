"""Images of languages: what an engine has of them, and how it is given one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tasklake.sandbox_exec.agent.fence import BOX
from tasklake.sandbox_exec.containers import engine
from tasklake.sandbox_exec.containers.image import LINKS, MEETING
from tasklake.sandbox_exec.errors import TasklakeError

# What an image says of itself: the language that it is for, and its toolchain in words.
LANGUAGE, TOOLCHAIN = "tasklake.language", "tasklake.toolchain"
# The agent's interpreter in there.
PYTHON = "/usr/bin/python3"
# An engine unpacks gigabytes on a busy machine.
IMPORT_S = 1800.0


class ImageError(TasklakeError):
    """An image cannot be made; the message says what the engine said."""


def image_of(language: str) -> tuple[str, str]:
    """The newest image of the language and its toolchain, or nothing; for the life of the process."""
    return _image_of(os.getpid(), engine.address(), language)


# By process and engine, as clients are.
@cache
def _image_of(process: int, where: str, language: str) -> tuple[str, str]:
    from docker.errors import DockerException

    try:
        found = engine.client().api.images(filters={"label": f"{LANGUAGE}={language}"})
    except (DockerException, OSError):
        return "", ""
    named = [each for each in found if each.get("RepoTags")]
    if not named:
        return "", ""
    newest = max(named, key=lambda each: int(each["Created"]))
    return str(newest["RepoTags"][0]), str(newest["Labels"].get(TOOLCHAIN, ""))


def prepared(root: Path) -> None:
    """The root has the places where a container's file systems and its meeting point are."""
    for name in (BOX, "/prog", MEETING, "/proc", "/sys", "/dev"):
        (root / name[1:]).mkdir(mode=0o755, parents=True, exist_ok=True)
    for name, target in LINKS.items():
        path = root / name
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def imported(archive: Path, name: str, digest: str, told: Mapping[str, str]) -> str:
    """The engine has the archive as an image of that name."""
    from docker.errors import DockerException

    labels = [f"LABEL {key}={_quoted(value)}" for key, value in told.items()]
    try:
        client: Any = engine.client(IMPORT_S)
        client.api.import_image_from_file(str(archive), repository=name, tag=digest, changes=labels)
    except (DockerException, OSError) as error:
        raise ImageError(f"the Docker engine took no image of {name}: {error}") from None
    _image_of.cache_clear()
    return f"{name}:{digest}"


def _quoted(text: str) -> str:
    """The text as a word of a container file, where a dollar would stand for a variable."""
    escaped = "".join(f"\\{each}" if each in '"\\$' else each for each in text)
    return f'"{escaped}"'
