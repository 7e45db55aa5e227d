"""What a language is once its pack has been read: values only, so that it travels to workers."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.limits import FACTORS, MIB, Limits
from tasklake.sandbox_exec.verdict import Case

# Words of these characters mean the same to a shell and to exec, so no shell is started for them.
PLAIN = re.compile(r"[A-Za-z0-9_./+:=,@% -]*")
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
# These exist inside a shell only, or mean something else outside of it.
BUILTINS = frozenset((".", "cd", "eval", "exec", "export", "set", "ulimit", "umask", "unset"))
# Stand for the two texts in the files of a test convention.
PROGRAM, TESTS = b"{program}", b"{tests}"
# Stands for the memory limit in mebibytes: a runtime that collects garbage must be told how much it may keep.
MEMORY = "{memory_mb}"
# Stands for the language's own folder, which holds what is no package of the distribution: bin, lib with JARs.
FOLDER = "{folder}"
# Every box shows /opt, and packages of the distribution leave this name alone.
TOOLCHAINS = "/opt/tasklake"

# The fields that decide a verdict beside limits and variables. Where the toolchain lies is seen from its version.
EXECUTING = ("filename", "compile", "execute", "caches", "show", "zygote", "zygote_calls")


class NoConventionError(TasklakeError):
    """Tests are given for a language whose pack says nothing about them."""


@dataclass(frozen=True)
class SelfTest:
    """A program whose verdict is known: a language that judges it otherwise is not offered."""

    name: str
    program: str
    input: str
    expect: str
    # A test program in the language's convention, instead of an input and an output.
    tests: str = ""
    output: str | None = None
    # A megabyte of output is written down as one line and a number.
    repeat: int = 1
    # The file and the line where it is written, to be told when it fails.
    place: str = field(default="", compare=False)

    def case(self) -> Case:
        """The case to run the program against; where the verdict needs no output, it expects none."""
        return Case(self.input.encode(), (self.output or "").encode() * self.repeat)


@dataclass(frozen=True)
class Convention:
    """How a test program is attached to a program of the language: files with places for both, built and run."""

    files: tuple[tuple[str, str], ...]
    execute: str
    compile: str = ""

    def attached(self, program: bytes, tests: bytes) -> tuple[tuple[str, bool, bytes], ...]:
        """The files with the program and its tests in their places, and nothing else replaced."""
        held = {PROGRAM: program, TESTS: tests}
        return tuple((name, False, _placed(template, held)) for name, template in self.files)


@dataclass(frozen=True)
class Factors(Mapping[str, float]):
    """What a task's limits are multiplied by, because an equal program is slower or larger in the language.

    A mapping that is a value: packs are compared, hashed and sent to workers.
    """

    pairs: tuple[tuple[str, float], ...] = tuple((name, 1.0) for name in FACTORS)

    def __getitem__(self, name: str) -> float:
        return dict(self.pairs)[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True)
class Install:
    """Where a language's toolchain comes from: packages by their registries, or build steps."""

    debian: tuple[str, ...] = ()
    # A Debian suite whose packages lie in a root file system of their own, because this machine's suite lacks them.
    suite: str = ""
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    go: tuple[str, ...] = ()
    cargo: tuple[str, ...] = ()
    maven: tuple[str, ...] = ()
    # A folder with sources, and the commands that build them there into the folder that PREFIX names.
    source: str = ""
    steps: tuple[str, ...] = ()
    # What only a person understands, such as the words of an Agnostics pack.
    text: tuple[str, ...] = ()

    def advice(self) -> str:
        """How to install it, in words."""
        if self.text:
            return "install it with: " + "; ".join(self.text)
        plain = self == Install(debian=self.debian) and self.debian
        return "apt-get install " + " ".join(self.debian) if plain else ""


@dataclass(frozen=True)
class Language:
    """A programming language as its pack describes it."""

    id: str
    filename: str
    execute: str
    compile: str = ""
    names: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    # Between the plentiful (1) and the very rare (5); in the middle where nobody has said.
    tier: int = 3
    prompt: str = ""
    install: Install = Install()
    version: tuple[str, ...] = ()
    fence_tags: tuple[str, ...] = ()
    comment: str = ""
    limit_factors: Factors = Factors()
    # Variables of the build and of every run, beyond those that each box has.
    environment: tuple[tuple[str, str], ...] = ()
    # Variables that name a folder which builds only read, each with the program whose build fills it.
    caches: tuple[tuple[str, str], ...] = ()
    # Patterns of the toolchain's folder, where what is found by name merely leads there, as with rustup: the newest of
    # the first pattern that has any.
    home: tuple[str, ...] = ()
    # Folders that the toolchain reads, beyond those that every box shows.
    show: tuple[str, ...] = ()
    # When a runtime that has started may be forked for each run: as it comes to `open` its program, or to `read` it.
    zygote: str = ""
    # C functions of the runtime that are called before: a name with a text, or with what the first of them told.
    zygote_calls: tuple[str, ...] = ()
    # Why there is none, where the runtime takes long to start.
    slow_start: str = ""
    self_test: tuple[SelfTest, ...] = ()
    test: Convention | None = None
    docs: str = ""
    container: str = ""
    # Where the folders of languages lie.
    place: str = TOOLCHAINS

    def digest(self) -> str:
        """The sha256 of what decides a verdict: a new prompt or name must not make stored verdicts stale."""
        executing = {name: getattr(self, name) for name in EXECUTING}
        executing |= {"limit_factors": self.limit_factors.pairs, "environment": sorted(self.environment)}
        return hashlib.sha256(json.dumps(executing).encode()).hexdigest()

    def command(self, name: str, limits: Limits | None = None) -> list[str]:
        """The words to start for compile or execute, through a shell only where the text needs one; empty for none."""
        text = self.filled({"compile": self.compile, "execute": self.execute}[name], limits)
        words = text.split()
        if not words:
            return []
        shell = not PLAIN.fullmatch(text) or bool(ASSIGNMENT.match(words[0])) or words[0] in BUILTINS
        return ["sh", "-c", text] if shell else words

    def variables(self, limits: Limits | None = None) -> dict[str, str]:
        """The variables of the language, for a build or run under such limits."""
        return {name: self.filled(text, limits) for name, text in self.environment}

    def usual(self) -> Limits:
        """The limits of a task that says nothing about them."""
        return Limits().scaled(self.limit_factors)

    def tested(self) -> Language:
        """The language as programs are built and run together with their tests."""
        if self.test is None:
            raise NoConventionError(f"language {self.id} has no test convention: its pack has no key `test`")
        return replace(self, compile=self.test.compile, execute=self.test.execute, test=None, zygote="")

    def needs(self) -> list[str]:
        """The commands that must be installed before a program can be built and run."""
        texts = (text.replace(FOLDER, self.folder) for text in (self.compile, self.execute))
        found = dict.fromkeys(_first(text) for text in texts if text.strip())
        return [name for name in found if not name.startswith("./")]

    def advice(self) -> str:
        """How to install what the language needs, as the pack tells it."""
        known = (
            f"see the documentation of {self.id}"
            if self.install == Install()
            else f"tasklake languages install {self.id}"
        )
        return self.install.advice() or known

    @property
    def folder(self) -> str:
        """The folder with what is no package of the distribution."""
        return f"{self.place}/{self.id}"

    def filled(self, text: str, limits: Limits | None = None) -> str:
        """The text with the limit and the folder in the places that are meant for them."""
        if MEMORY in text:
            most = (limits or self.usual()).memory_bytes
            text = text.replace(MEMORY, str(max(1, int(most) // MIB)))
        return text.replace(FOLDER, self.folder)


def _placed(template: str, held: Mapping[bytes, bytes]) -> bytes:
    """The template's places filled in one go: what one text holds is never taken for the place of the other."""
    return re.sub(b"|".join(map(re.escape, held)), lambda place: held[place[0]], template.encode())


@cache
def _first(text: str) -> str:
    """The command that the text starts, or the shell where that cannot be seen from outside."""
    try:
        words = [word for word in shlex.split(text) if not ASSIGNMENT.match(word)]
    except ValueError:
        return "sh"
    plain = bool(words) and words[0] not in BUILTINS and bool(PLAIN.fullmatch(words[0]))
    return words[0] if plain else "sh"
