"""A language pack as data, read from YAML and refused with file and line where it is wrong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasklake.sandbox_exec.documents import Document, DocumentError, load_document, nearest
from tasklake.sandbox_exec.limits import FACTORS
from tasklake.sandbox_exec.verdict import Verdict

# An argv is exec'd as it is; text is split at blanks, or given to /bin/sh when it holds shell syntax.
Command = str | tuple[str, ...]
# An id becomes a file name, a column value and a part of a path.
ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
TIERS = ("high", "medium", "low", "ultra_low")


@dataclass(frozen=True)
class SelfTest:
    """A program of the language, its input, and the verdict that a working toolchain leads to."""

    name: str
    program: str
    input: str
    expect: Verdict
    output: str = ""


@dataclass(frozen=True)
class Language:
    """What is to be known about a language to ask for, build and run a program in it."""

    id: str
    filename: str
    execute: Command
    compile: Command | None = None
    names: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    # How much training data there is: high, medium, low, ultra_low.
    tier: str = "low"
    # Put before a problem when a model is asked for a program.
    prompt: str = ""
    # A shell command for Debian, or container instructions.
    install: str = ""
    version: tuple[str, ...] = ()
    # A word of compile, execute or version, and the commands that may stand for it, best first.
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fence_tags: tuple[str, ...] = ()
    comment: str = "#"
    limit_factors: Mapping[str, float] = field(default_factory=dict)
    self_test: tuple[SelfTest, ...] = ()
    container: Mapping[str, Any] = field(default_factory=dict)
    tests: Any = None
    docs: str = ""

    def digest(self) -> str:
        """A sha256 over what decides how a program runs; prose and self-tests do not change it."""
        executing = [self.filename, self.compile, self.execute, dict(self.limit_factors)]
        return hashlib.sha256(json.dumps(executing, sort_keys=True).encode()).hexdigest()


def read_pack(raw: bytes, stem: str, file: str) -> Language:
    """The pack, whose id is the stem of its file unless it says otherwise; DocumentError where it is wrong."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise DocumentError(f"{file}:1: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    document = load_document(text, file)
    _refuse_unknown(document)
    for key in ("filename", "execute"):
        if key not in document.data:
            raise DocumentError(f"{file}:1: key {key} is missing; add it")
    given = {key: READERS[key](document, key) for key in document.data}
    made = Language(**{"id": stem, **given})
    return _sound(made, document)


def _refuse_unknown(document: Document) -> None:
    for key in document.data:
        if key not in READERS:
            meant = nearest(key, READERS)
            hint = f"did you mean {meant}?" if meant else f"known are {', '.join(sorted(READERS))}"
            raise _wrong(document, (key,), f"key {key} is unknown; {hint}")


def _sound(pack: Language, document: Document) -> Language:
    if not ID.fullmatch(pack.id):
        raise _wrong(document, ("id",), f"id {pack.id!r} must be small letters, digits and _, a letter first")
    if "/" in pack.filename or pack.filename in ("", ".", ".."):
        raise _wrong(document, ("filename",), "filename must be a plain file name, such as main.lua")
    if pack.tier not in TIERS:
        raise _wrong(document, ("tier",), f"tier must be one of {', '.join(TIERS)}, got {pack.tier}")
    return pack if pack.fence_tags else _with_default_tags(pack)


def _with_default_tags(pack: Language) -> Language:
    tags = (pack.id, *(name.lower() for name in pack.names if name.lower() != pack.id))
    return Language(**{**pack.__dict__, "fence_tags": tags})


def _wrong(document: Document, path: tuple[str | int, ...], what: str) -> DocumentError:
    return DocumentError(f"{document.file}:{document.line(path)}: {what}")


def _text(document: Document, key: str) -> str:
    value = document.data[key]
    if not isinstance(value, str):
        raise _wrong(document, (key,), f"{key} must be text, got {type(value).__name__}; put it in quotes")
    return value


def _texts(document: Document, key: str) -> tuple[str, ...]:
    value = document.data[key]
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise _wrong(document, (key,), f"{key} must be a list of texts")
    return tuple(items)


def _command(document: Document, key: str) -> Command:
    value = document.data[key]
    made: Command = tuple(value) if isinstance(value, list) else value
    if not made or not isinstance(made, str | tuple) or not all(isinstance(word, str) for word in made):
        raise _wrong(document, (key,), f"{key} must be a command line, or a list of its words")
    return made


def _argv(document: Document, key: str) -> tuple[str, ...]:
    command = _command(document, key)
    return tuple(command.split()) if isinstance(command, str) else command


def _install(document: Document, key: str) -> str:
    value = document.data[key]
    if isinstance(value, dict) and isinstance(value.get("container-instructions"), str):
        return str(value["container-instructions"]).strip()
    return _text(document, key)


def _mapping(document: Document, key: str) -> dict[str, Any]:
    value = document.data[key]
    if not isinstance(value, dict):
        raise _wrong(document, (key,), f"{key} must be keys with values")
    return value


def _commands(document: Document, key: str) -> dict[str, tuple[str, ...]]:
    made = _mapping(document, key)
    for word, names in made.items():
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise _wrong(document, (key, word), f"{key}: {word} must be a list of commands, best first")
    return {word: tuple(names) for word, names in made.items()}


def _factors(document: Document, key: str) -> dict[str, float]:
    made = _mapping(document, key)
    for name, value in made.items():
        if name not in FACTORS:
            meant = nearest(name, FACTORS)
            hint = f"did you mean {meant}?" if meant else f"known are {', '.join(FACTORS)}"
            raise _wrong(document, (key, name), f"limit factor {name} is unknown; {hint}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
            raise _wrong(document, (key, name), f"limit factor {name} must be a number above 0, at most 100")
    return {name: float(value) for name, value in made.items()}


def _self_tests(document: Document, key: str) -> tuple[SelfTest, ...]:
    value = document.data[key]
    if not isinstance(value, list):
        raise _wrong(document, (key,), f"{key} must be a list of tests")
    return tuple(_self_test(document, key, place) for place in range(len(value)))


def _self_test(document: Document, key: str, place: int) -> SelfTest:
    made = document.data[key][place]
    needed, optional = {"name", "program", "input", "expect"}, {"output"}
    if not isinstance(made, dict) or not needed <= set(made) <= needed | optional:
        raise _wrong(document, (key, place), "a self-test has name, program, input, expect, and perhaps output")
    for name, value in made.items():
        if not isinstance(value, str):
            raise _wrong(document, (key, place, name), f"{name} must be text; put it in quotes")
    if made["expect"] not in Verdict.__members__:
        hint = nearest(made["expect"], Verdict.__members__) or "accepted"
        raise _wrong(document, (key, place, "expect"), f"{made['expect']} is no verdict; did you mean {hint}?")
    return SelfTest(made["name"], made["program"], made["input"], Verdict(made["expect"]), made.get("output", ""))


def _anything(document: Document, key: str) -> Any:
    return document.data[key]


READERS: dict[str, Callable[[Document, str], Any]] = {
    "id": _text,
    "names": _texts,
    "extensions": _texts,
    "tier": _text,
    "prompt": _text,
    "install": _install,
    "filename": _text,
    "compile": _command,
    "execute": _command,
    "version": _argv,
    "commands": _commands,
    "container": _mapping,
    "fence_tags": _texts,
    "comment": _text,
    "limit_factors": _factors,
    "self_test": _self_tests,
    "tests": _anything,
    "docs": _text,
}
