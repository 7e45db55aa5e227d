"""The attacks that the package ships, each with what stops it, where that holds, and how its success is seen.

An attack is a program whose first comment says what it does, in a sentence, and then:

    defence   the switches that must be off for it to succeed: one, or several with a reason as `why`
    levels    the isolation levels that claim to stop it; all, where nothing is said
    proof     the level, and where it matters the user, that it succeeds on once the defence is off
    seen      how its success is seen: see `SEEN`
    verdict   what it is judged with when it is stopped, accepted where nothing is said
    cases     how many times it runs: for those that one case prepares and the next completes
    limits    what it may use
    needs     what the machine must have for it to succeed: see `machine.py`
    given     what the machine must have for it to be stopped

A program that was stopped says `held`, which is its expected output; one that succeeded says `taken`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import takewhile
from pathlib import PurePath
from typing import Any

from tasklake.sandbox_exec.languages import Factors, Language, language
from tasklake.sandbox_exec.limits import BUILD, Limits

ATTACKS = f"{__package__}.attacks"
LEVELS = ("namespaces", "docker", "landlock")
# says: it wrote that it succeeded. accepted: it got away with what it was to be ended for. outside: something outside
# of the box has changed. next: an honest program afterwards was not accepted. broken: it ended its agent, again and
# again. flood: far more of its output was kept than it may write. late: it ran for far longer than it may.
SEEN = ("says", "accepted", "outside", "next", "broken", "flood", "late")
KEYS = {"defence", "why", "levels", "proof", "seen", "verdict", "cases", "limits", "needs", "given"}
LANGUAGES = {".c": "c", ".js": "javascript", ".lua": "lua", ".pl": "perl", ".py": "python", ".sh": "shell"}
COMMENTS = {".c": "//", ".js": "//", ".lua": "--"}
# Honest programs take a hundredth of this.
USUAL = Limits(cpu_s=3.0, wall_s=6.0, memory_bytes=256 << 20)
# Builds may use a fiftieth of what they usually may, so that nobody has to wait for their limits.
QUICK = Factors((("cpu", 0.02), ("memory", 0.1)))
# Builds of some languages run code of the program's: here the whole build is the program.
BUILT = replace(
    language("shell"), id="built", limit_factors=QUICK, filename="build.sh", compile="sh build.sh", execute="sh run.sh"
)


@dataclass(frozen=True)
class Attack:
    """A program that tries what it must not do."""

    name: str
    text: str
    doc: str
    defence: tuple[str, ...]
    why: str
    levels: tuple[str, ...]
    proof: str
    # Whose attack it has to be for the proof: root, plain, or empty for anybody.
    user: str
    seen: str
    verdict: str
    cases: int
    limits: Limits
    needs: tuple[str, ...]
    given: tuple[str, ...]
    # Whether it runs in a fork of its language's runtime.
    forked: bool = False

    @property
    def suffix(self) -> str:
        """The end of the file's name, which tells the language."""
        return PurePath(self.name).suffix

    @property
    def builds(self) -> bool:
        """True where the attack is made by a build."""
        return self.name.startswith("builds/")

    @property
    def most(self) -> Limits:
        """What it may use, where it is made by a build: what that may use."""
        return BUILD.scaled(QUICK) if self.builds else self.limits

    @property
    def pack(self) -> Language:
        """The language that the attack is written in."""
        if self.name.endswith(".build.sh"):
            return BUILT
        found = language(LANGUAGES[self.suffix])
        if self.forked:
            return found
        found = replace(found, zygote="")
        return replace(found, id="quick", limit_factors=QUICK) if self.builds else found


@cache
def attacks() -> dict[str, Attack]:
    """Every attack by its name, which is its path below the folder."""
    found = {
        f"{folder.name}/{file.name}": file
        for folder in files(ATTACKS).iterdir()
        if folder.is_dir() and folder.name.isalpha()  # no cache of a tool's
        for file in folder.iterdir()
    }
    return {name: _read(name, found[name]) for name in sorted(found)}


def _read(name: str, file: Traversable) -> Attack:
    text = file.read_text("utf-8")
    doc, *rest = _header(text, COMMENTS.get(PurePath(name).suffix, "#"))
    said = dict(line.split(": ", 1) for line in rest)
    unknown = said.keys() - KEYS
    if unknown or "defence" not in said or said.get("seen", "says") not in SEEN:
        raise ValueError(f"{name}: its header lacks a defence or says what nobody understands: {unknown}")
    levels = tuple(said.get("levels", " ".join(LEVELS)).split())
    level, _, user = said.get("proof", levels[0]).partition(" ")
    return Attack(
        name=name,
        text=text,
        doc=doc,
        defence=tuple(said["defence"].split()),
        why=said.get("why", ""),
        levels=levels,
        proof=level,
        user=user,
        seen=said.get("seen", "says"),
        verdict=said.get("verdict", "accepted"),
        cases=int(said.get("cases", "1")),
        limits=replace(USUAL, **_numbers(said.get("limits", ""))),
        needs=tuple(said.get("needs", "").split()),
        given=tuple(said.get("given", "").split()),
        forked=name.startswith("zygotes/"),
    )


def _header(text: str, mark: str) -> Iterator[str]:
    """The lines of the comment that the program begins with."""
    return (
        line.removeprefix(mark).strip() for line in takewhile(lambda line: line.startswith(mark), text.splitlines())
    )


def _numbers(text: str) -> dict[str, Any]:
    pairs = (each.split("=") for each in text.split())
    return {name: float(value) if name.endswith("_s") else int(value) for name, value in pairs}
