"""What installing languages means, told before it is done, and done pack by pack: one that fails stops no other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.installing import debian, places, registries, roots, sources
from tasklake.sandbox_exec.installing.tools import InstallError, Tell
from tasklake.sandbox_exec.languages import Language, ToolchainMissing, resolved, toolchain
from tasklake.sandbox_exec.languages.toolchains import ROOT, forget

# What a person is told while a pack is installed: its id and a line.
Told = Callable[[str, str], None]
# What makes root file systems, where this machine has neither of the two programs that can.
MAKER = "mmdebstrap"
# What fills a language's own folder.
SOURCES = tuple(registries.REGISTRIES)


@dataclass(frozen=True)
class Plan:
    """What installing a pack would do."""

    pack: Language
    # Empty where everything is there.
    does: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    size: int = 0
    why_not: str = ""

    def row(self, done: str, why_not: str = "") -> dict[str, Any]:
        """The plan as it is told, with what came of it."""
        return {
            "id": self.pack.id, "done": done, "does": list(self.does), "packages": list(self.packages),
            "download_mb": round(self.size / 1e6, 1), "reason": why_not or self.why_not,
        }  # fmt: skip


def plan(pack: Language, beside: Path | None = None, fetch: bool = False) -> Plan:
    """What is missing of the pack's toolchain, and whether it could be had; `fetch` lets lists of packages come."""
    install = pack.install
    try:
        if install.text:
            raise InstallError(f"the pack says it in words only: {'; '.join(install.text)}")
        lacking = _lacking(pack, beside, fetch)
        coming = debian.planned(lacking, fetch)
        does = [f"apt-get install {' '.join(lacking)}"] if lacking else []
        return Plan(pack, (*does, *_own(pack, beside)), coming.packages, coming.size)
    except TasklakeError as error:
        return Plan(pack, why_not=str(error))


def _lacking(pack: Language, beside: Path | None, fetch: bool) -> list[str]:
    """The packages to install: what the toolchain stands on, and the clients of registries that fill its folder."""
    clients = () if places.is_there(pack, beside) else registries.clients(pack.install)
    return list(dict.fromkeys((*_runtime(pack, beside, fetch), *debian.missing(clients))))


def _runtime(pack: Language, beside: Path | None, fetch: bool) -> list[str]:
    """None where somebody has brought the commands by other means, for they work."""
    lacking = debian.missing(_of_host(pack, beside))
    if not lacking or pack.install.suite or not _answers(pack):
        return lacking
    found = [resolved(command, pack.home, pack.folder)[0] for command in pack.needs()]
    others = [path for path in found if not path.startswith(pack.folder)]
    return lacking if all(map(debian.owned, others)) and debian.possible(lacking, fetch) else []


def _answers(pack: Language) -> bool:
    try:
        return bool(toolchain(pack))
    except ToolchainMissing:
        return False


def _of_host(pack: Language, beside: Path | None) -> tuple[str, ...]:
    """Packages of this machine's own suite that the pack needs, if only to be installed."""
    if places.is_there(pack, beside) and Path(pack.folder, ROOT).is_dir():
        return ()
    if not pack.install.suite:
        return pack.install.debian
    return () if any(map(shutil.which, (MAKER, "debootstrap"))) else (MAKER,)


def _own(pack: Language, beside: Path | None = None) -> Iterator[str]:
    """What would be put into the language's own folder."""
    install = pack.install
    if places.is_there(pack, beside):
        return
    if install.suite:
        yield f"root file system of Debian {install.suite} with {' '.join(install.debian)} in {pack.folder}"
    for name in registries.REGISTRIES:
        if packages := getattr(install, name):
            yield f"{name} install {' '.join(packages)} in {pack.folder}"
    if install.source:
        yield f"build {install.source} in {pack.folder}"


def lacks_rights(plans: Sequence[Plan]) -> bool:
    """True where another user is needed: for packages, root file systems, and folders of root's."""
    for each in (one for one in plans if one.does):
        place = Path(each.pack.place)
        near = next(path for path in (place, *place.parents) if path.exists())
        if each.packages or each.pack.install.suite or not os.access(near, os.W_OK):
            return os.geteuid() != 0
    return False


def installed(plans: Sequence[Plan], told: Told, beside: Path | None = None) -> Iterator[dict[str, Any]]:
    """A row per pack as it is done: installed, there already, or failed with its reason."""
    for each in plans:
        if each.why_not:
            yield each.row("failed")
            continue
        try:
            _install(each, told, beside)
        except (TasklakeError, OSError) as error:
            yield each.row("failed", str(error))
        else:
            yield each.row("installed" if each.does else "there already")


def _install(planned: Plan, told: Told, beside: Path | None) -> None:
    pack = planned.pack

    def tell(line: str) -> None:
        told(pack.id, line)

    def answers() -> None:
        # A toolchain that does not answer has not been installed, whatever its installer says.
        tell(toolchain(pack))

    _brought(_lacking(pack, beside, fetch=True) if planned.does else [], tell)
    if not any(_own(pack, beside)):
        return answers()
    with places.alone(Path(pack.place)), places.making(pack) as folder:
        digest, text = filled(pack, folder, tell, beside)
        places.put_to_use(pack, folder, digest, text, beside, answers)


def _brought(packages: Sequence[str], tell: Tell) -> None:
    if packages:
        tell(f"apt-get install {' '.join(packages)}")
        debian.installed(packages, tell)
        forget()


def filled(pack: Language, folder: Path, tell: Tell, beside: Path | None) -> tuple[str, str]:
    """The folder holds what the pack asks for; its digest, and what there is to tell beyond a version."""
    install = pack.install
    if install.suite:
        tell(next(_own(pack, beside)))
        return roots.made(pack, folder, tell)
    # Where an image is made nobody has planned them, and they come onto this machine.
    _brought(debian.missing(registries.clients(install)), tell)
    for name, registry in registries.REGISTRIES.items():
        if packages := getattr(install, name):
            tell(f"{name} install {' '.join(packages)}")
            registry.put(packages, folder, tell)
    if install.source:
        tell(f"building {install.source}")
        sources.built(install, folder, beside)
    return places.content(folder), ""
