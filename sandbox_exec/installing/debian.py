"""Packages of the distribution: simulated before anything is touched, and refused where others would have to go."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tasklake.sandbox_exec.installing.tools import InstallError, Tell, quiet, ran

APT = ("apt-get", "-q", "-o", "Dpkg::Options::=--force-confold", "-o", "DPkg::Lock::Timeout=600")
INSTALL = (*APT, "--no-install-recommends", "--no-remove", "--yes", "install", "--")
# 'address' file size checksum
ADDRESS = re.compile(r"'[^']+' \S+ (\d+)")
TARGETS = ("apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages")


@dataclass(frozen=True)
class Transaction:
    """What apt would do: every package that comes, and how much has to be fetched."""

    packages: tuple[str, ...] = ()
    size: int = 0


def missing(packages: Sequence[str], admin: str = "/var/lib/dpkg") -> list[str]:
    """Those of the packages that are not installed."""
    if not packages:
        return []
    if shutil.which("dpkg-query") is None:
        raise InstallError(
            f"this machine has no Debian packages; bring what {', '.join(packages)} would by its own means"
        )
    lines = ran(["dpkg-query", f"--admindir={admin}", "-W", "-f", "${Package} ${db:Status-Status}\\n"])
    return [name for name in packages if f"{name} installed" not in lines]


def versions(admin: str) -> dict[str, str]:
    """Every installed package with its version."""
    lines = ran(["dpkg-query", f"--admindir={admin}", "-W", "-f", "${Package} ${Version}\\n"])
    return dict(line.split(" ", 1) for line in lines if " " in line)


def planned(packages: Sequence[str], fetch: bool = False) -> Transaction:
    """What installing those would do; raises InstallError where apt would not do it, though its lists be fetched."""
    if not packages:
        return Transaction()
    try:
        return _simulated(packages)
    except InstallError as error:
        if not fetch:
            raise InstallError(f"{error}; where apt's lists are missing or old, run apt-get update") from None
    told = fetched()
    try:
        return _simulated(packages)
    except InstallError as error:
        raise InstallError(f"{error}{told}") from None


def _simulated(packages: Sequence[str]) -> Transaction:
    lines = ran([*INSTALL[:-3], "--simulate", *INSTALL[-3:], *packages])
    coming = [line.split()[1] for line in lines if line.startswith("Inst ")]
    addresses = ran([*INSTALL[:-3], "--print-uris", *INSTALL[-3:], *packages])
    return Transaction(tuple(coming), sum(int(each[1]) for each in map(ADDRESS.match, addresses) if each))


@cache
def fetched() -> str:
    """The lists are those of today, asked for once; else why not, to be told with what is missed, if anything is."""
    try:
        ran([*APT, "update"])
    except InstallError as error:
        return f"; {error}"
    return ""


def possible(packages: Sequence[str], fetch: bool = False) -> bool:
    """True where apt would install them beside all that there is."""
    try:
        return bool(planned(packages, fetch).packages)
    except InstallError:
        return False


def owned(path: str) -> bool:
    """True where the file, or what its link leads to, came with a package."""
    names = {path, os.path.realpath(path)}
    # A package may know a file by its name of before /bin became a link to /usr/bin.
    names |= {name.removeprefix("/usr") for name in names}
    return any(map(_known, sorted(names)))


def _known(name: str) -> bool:
    try:
        return bool(ran(["dpkg-query", "--search", "--", name]))
    except InstallError:
        return False


def installed(packages: Sequence[str], tell: Tell = quiet) -> None:
    """The packages are there: what a killed installation left is finished first, and lists are fetched where needed."""
    if ran(["dpkg", "--audit"]):
        ran(["dpkg", "--configure", "-a"], tell)
    planned(packages, fetch=True)
    ran([*INSTALL, *packages], tell)


def mirror() -> str:
    """Where this machine gets its Debian packages from; other suites lie there too."""
    if not _mirrors():
        # apt knows whose a mirror is by its lists.
        fetched()
    for found in _mirrors():
        return found
    raise InstallError("this machine's apt names no mirror of Debian, which has the suite; add one to its sources")


def _mirrors() -> list[str]:
    rows = [line.split("|") for line in ran(TARGETS) if line.count("|") == 2]
    return [where for origin, label, where in rows if origin == label == "Debian"]
