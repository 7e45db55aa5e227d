"""Root file systems of other Debian suites, for toolchains that this machine's suite lacks."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from tasklake.sandbox_exec.agent.walls import DEVICES
from tasklake.sandbox_exec.installing.debian import mirror, versions
from tasklake.sandbox_exec.installing.places import DIGITS, removed
from tasklake.sandbox_exec.installing.tools import InstallError, Tell, quiet, ran
from tasklake.sandbox_exec.languages import Language
from tasklake.sandbox_exec.languages.toolchains import ROOT

# Nothing of a folder is in use before all of it is on the disk, so that no single file has to be waited for.
UNSYNCED = "--dpkgopt=force-unsafe-io"
# Nobody reads there, and half of a small root is text.
UNREAD = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")
# A mirror that lags, or is a snapshot, has outlived its own promise to be renewed; signatures are checked all the same.
LAGGING = 'Acquire::Check-Valid-Until "false";'
# What a builder mounts into the root is seen by nobody else, and gone with it, however it ends.
APART = ("unshare", "--mount", "--propagation", "private", "--")
# What is of no use without apt and a person.
LEFT = ("var/cache/apt", "var/lib/apt/lists", "var/log")


def made(pack: Language, folder: Path, tell: Tell = quiet, more: Sequence[str] = ()) -> tuple[str, str]:
    """The folder holds a root file system with the pack's packages; its digest, and the toolchain in words."""
    root = folder / ROOT
    wanted = ",".join(dict.fromkeys((*pack.install.debian, *more)))
    suite = pack.install.suite
    if shutil.which("mmdebstrap"):
        options = [f"--dpkgopt=path-exclude={each}" for each in UNREAD]
        argv = [
            *APART,
            "mmdebstrap",
            "--variant=essential",
            "--components=main",
            f"--aptopt={LAGGING}",
            UNSYNCED,
            *options,
        ]
        ran([*argv, f"--include={wanted}", suite, str(root), mirror()], tell)
    elif shutil.which("debootstrap"):
        ran([*APART, "debootstrap", "--variant=minbase", f"--include={wanted}", suite, str(root), mirror()], tell)
    else:
        raise InstallError("a root file system is made by mmdebstrap or debootstrap; apt-get install mmdebstrap")
    settled(root)
    os.sync()
    return told(root, pack.install.debian, suite)


def settled(root: Path) -> None:
    """The root can be shown to candidates: no devices, nothing that lends privileges, places for what boxes bring."""
    removed(root / "dev")
    (root / "dev/shm").mkdir(mode=0o755, parents=True)
    for name in DEVICES:
        (root / "dev" / name).touch()
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (root / "dev" / name).symlink_to(f"/proc/self/fd/{number}")
    (root / "dev/fd").symlink_to("/proc/self/fd")
    for name in LEFT:
        removed(root / name)
        (root / name).mkdir(mode=0o755)
    for name in ("proc", "tmp"):
        (root / name).mkdir(exist_ok=True)
    # Outside of any box, users of this machine reach these files too.
    for path in root.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            os.chmod(path, stat.S_IMODE(mode) & 0o777)


def told(root: Path, packages: Sequence[str], suite: str) -> tuple[str, str]:
    """A word for all packages of the root, and those that were asked for with their versions."""
    found = versions(str(root / "var/lib/dpkg"))
    lines = "".join(f"{name} {version}\n" for name, version in sorted(found.items()))
    digest = hashlib.sha256(lines.encode()).hexdigest()[:DIGITS]
    named = ", ".join(f"{name} {found.get(name, '')}".strip() for name in packages)
    return digest, f"{named} ({suite}, {len(found)} packages {digest})"
