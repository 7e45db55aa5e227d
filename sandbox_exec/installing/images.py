"""Root file systems with a language's whole toolchain in them: as images of an engine, or as archives to unpack."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tasklake.sandbox_exec.containers import toolchains as engine
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.installing import packs, places, roots
from tasklake.sandbox_exec.installing.tools import InstallError, Tell, ran
from tasklake.sandbox_exec.languages import Install, Language
from tasklake.sandbox_exec.languages.toolchains import ROOT, STAMP

# What the agent runs in inside a container.
AGENT = ("python3",)
# Large folders for a short time; /tmp is memory on many machines.
SCRATCH = "/var/tmp"
RELEASE = Path("/etc/os-release")

Told = Callable[[str, str], None]


def built(chosen: Sequence[Language], told: Told, out: Path | None, beside: Path | None) -> Iterator[dict[str, Any]]:
    """A row per pack: the image or the archive that was made of it, or why there is none."""
    for pack in chosen:
        try:
            yield {"id": pack.id, **_built(pack, partial(told, pack.id), out, beside), "reason": ""}
        except (TasklakeError, OSError) as error:
            yield {"id": pack.id, "made": "", "toolchain": "", "reason": str(error)}


def _built(pack: Language, tell: Tell, out: Path | None, beside: Path | None) -> dict[str, Any]:
    with _scratch() as folder:
        digest, toolchain = rooted(pack, folder, tell, (() if out else AGENT), beside)
        if out is not None:
            stamp = {"asked": places.asked(pack.install, beside), "toolchain": toolchain}
            return {"made": str(_archived(f"{pack.id}-{digest}", folder, stamp, out)), "toolchain": toolchain}
        engine.prepared(folder / ROOT)
        archive = folder / "image.tar"
        ran(["tar", "--numeric-owner", "-C", str(folder / ROOT), "-cf", str(archive), "."], tell)
        tell("handing the image to the engine")
        labels = {engine.LANGUAGE: pack.id, engine.TOOLCHAIN: toolchain}
        return {"made": engine.imported(archive, f"tasklake-{pack.id}", digest, labels), "toolchain": toolchain}


def rooted(pack: Language, folder: Path, tell: Tell, more: Sequence[str], beside: Path | None) -> tuple[str, str]:
    """The folder holds a root with all that the pack asks for; its digest, and the toolchain in words."""
    install = pack.install
    if install.text:
        raise InstallError(f"the pack says what it needs in words only: {'; '.join(install.text)}")
    suited = replace(pack, install=replace(install, suite=install.suite or own_suite()))
    digest, text = roots.made(suited, folder, tell, more)
    own = replace(install, debian=(), suite="")
    if own == Install():
        return digest, text
    place = folder / ROOT / pack.place[1:]
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    inner = replace(pack, install=own, place=str(place))
    with places.making(inner) as filled:
        content = packs.filled(inner, filled, tell, beside)[0]
        places.put_to_use(inner, filled, content)
    named = [word for name in packs.SOURCES for word in (getattr(own, name) or ())]
    both = hashlib.sha256(f"{digest} {content}".encode()).hexdigest()[: places.DIGITS]
    return both, f"{', '.join(named) or own.source} ({content}) on {text}"


def own_suite() -> str:
    """The Debian suite of this machine."""
    lines = RELEASE.read_text("utf-8").splitlines() if RELEASE.is_file() else []
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    if told.get("ID", "").strip('"') != "debian" or "VERSION_CODENAME" not in told:
        raise InstallError("this machine is no Debian, and the pack names no suite; name one under install")
    return told["VERSION_CODENAME"].strip('"')


def _archived(name: str, folder: Path, stamp: Mapping[str, str], out: Path) -> Path:
    """An archive to be unpacked where toolchains lie: the versioned folder, and the link that puts it to use."""
    held, link = folder / "archive", name.rpartition("-")[0]
    (held / name).mkdir(mode=0o755, parents=True)
    (folder / ROOT).rename(held / name / ROOT)
    (held / name / STAMP).write_text(json.dumps(stamp), "utf-8")
    (held / link).symlink_to(name)
    out.mkdir(parents=True, exist_ok=True)
    # Whole or not there: written under another name first.
    unfinished, target = out / f".{name}.tar.gz", out / f"{name}.tar.gz"
    ran(["tar", "--numeric-owner", "-C", str(held), "-czf", str(unfinished), name, link])
    unfinished.rename(target)
    return target


@contextmanager
def _scratch() -> Iterator[Path]:
    if not shutil.which("tar"):
        raise InstallError("the command tar is not installed; apt-get install tar")
    folder = Path(tempfile.mkdtemp(prefix="tasklake-image-", dir=SCRATCH))
    try:
        yield folder
    finally:
        places.removed(folder)
