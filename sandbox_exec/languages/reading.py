"""A language pack is read from YAML: what it may hold, and where it is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from reprlib import repr as briefly
from typing import Any

from tasklake.sandbox_exec.documents import Document, load_document, nearest
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages.model import (
    PROGRAM,
    TESTS,
    Convention,
    Factors,
    Install,
    Language,
    SelfTest,
)
from tasklake.sandbox_exec.limits import FACTORS, Limits
from tasklake.sandbox_exec.verdict import Verdict

Path = tuple[str | int, ...]
TIERS = range(1, 6)
# What a recipe calls every language of its machine.
OFFERED = "offered"
# When a zygote may be forked.
MOMENTS = ("open", "read")
# More than a million copies of a line is no test of a language but of the machine.
MAX_REPEAT = 1_000_000
# As is an output that no task would allow.
MOST_OUTPUT = Limits().output_bytes
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Every box gives these their values: another folder would not be writable, another path not the named toolchain's.
BOXES_OWN = frozenset(("HOME", "PATH", "TMPDIR"))
# Folders that a box has of its own, which would hide what is shown there, and those that no candidate may see.
PRIVATE = ("/dev", "/home", "/proc", "/prog", "/root", "/run", "/sys", "/tmp", "/work")


class PackError(TasklakeError):
    """A language pack cannot be used, or no pack has that name."""


@dataclass(frozen=True)
class _Place:
    """A part of a pack, so that what is wrong with it is told with its line."""

    document: Document
    path: Path
    value: Any

    def wrong(self, reason: str) -> PackError:
        return PackError(f"{self.document.file}:{self.document.line(self.path)}: {self.path[-1]}: {reason}")

    def items(self) -> list[_Place]:
        """The members of a list."""
        if not isinstance(self.value, list):
            raise self.wrong(f"expected a list such as [one, two], not {_kind(self.value)}")
        return [_Place(self.document, (*self.path, number), each) for number, each in enumerate(self.value)]

    def keys(self, known: tuple[str, ...]) -> dict[str, _Place]:
        """The members of a mapping that has no other keys than the known ones."""
        if not isinstance(self.value, dict):
            raise self.wrong(f"expected keys with values ({', '.join(known)}), not {_kind(self.value)}")
        return _known(self.document, self.path, self.value, known)


def read_language(text: str, file: str, stem: str, *, ours: bool = False) -> Language:
    """The language that the pack describes; its id is the stem of the file's name."""
    document = load_document(text, file, ours=ours)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_+#-]*", stem):
        raise PackError(f"{file}:1: {stem!r} cannot be a language's id; rename the file, such as lua.yaml")
    if stem.lower() == OFFERED:
        raise PackError(f"{file}:1: {stem} stands for every language of a machine; rename the file")
    places = _known(document, (), document.data, tuple(READERS))
    for needed in ("filename", "execute"):
        if needed not in places:
            raise PackError(f"{file}:1: {needed} is missing; add `{needed}: {EXAMPLES[needed]}`")
    made = Language(**{**_assumed(stem, places), **{key: READERS[key](place) for key, place in places.items()}})
    if made.caches and not made.compile:
        raise places["caches"].wrong("there is no compile that could fill it; remove it")
    if made.zygote_calls and not made.zygote:
        raise places["zygote_calls"].wrong("there is no zygote to call them in; add `zygote`, or remove it")
    if made.test is None and any(test.tests for test in made.self_test):
        raise places["self_test"].wrong("one of them holds tests, but the pack says nothing about them; add `test`")
    for twice in {name for name, _ in made.environment} & {name for name, _ in made.caches}:
        raise places["caches"].wrong(f"{twice} is among the variables of environment too; name it in one place")
    return made


def _assumed(stem: str, places: dict[str, _Place]) -> dict[str, Any]:
    """What a pack that says less, such as one in the plain Agnostics format, means."""
    dot, suffix = str(places["filename"].value).rpartition(".")[1:]
    return {"id": stem, "names": (stem,), "fence_tags": (stem,), "extensions": (dot + suffix,) if dot else ()}


def _known(document: Document, path: Path, data: dict[str, Any], known: tuple[str, ...]) -> dict[str, _Place]:
    for key in data:
        if key not in known:
            near = nearest(key, known)
            advice = f"did you mean {near}?" if near else f"known keys: {', '.join(known)}"
            raise PackError(f"{document.file}:{document.line((*path, key))}: unknown key {key}; {advice}")
    return {key: _Place(document, (*path, key), value) for key, value in data.items()}


def _kind(value: Any) -> str:
    words = {dict: "keys with values", list: "a list", bool: "true or false", type(None): "nothing"}
    return words.get(type(value), f"{value!r}")


def _text(place: _Place) -> str:
    if not isinstance(place.value, str):
        raise place.wrong(f"expected text, not {_kind(place.value)}; put it in quotes")
    return place.value


def _command(place: _Place) -> str:
    text = _text(place).strip()
    if not text or "\0" in text:
        raise place.wrong("expected a command; " + ("leave the key out for none" if not text else "remove the NUL"))
    return text


def _compile(place: _Place) -> str:
    """Empty text and nothing at all both mean that there is no build."""
    return "" if place.value in ("", None) else _command(place)


def _filename(place: _Place) -> str:
    return _plain(place, _text(place))


def _plain(place: _Place, name: str) -> str:
    # The file is written into a fresh folder: a path could leave it.
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}", name):
        raise place.wrong(f"{briefly(name)} is not a plain file name such as main.lua, of at most 128 signs")
    return name


def _names(place: _Place) -> tuple[str, ...]:
    """Names as recipes and people write them."""
    for each in place.items():
        name = _text(each)
        if not name or name != name.strip() or not name.isprintable():
            raise each.wrong(f"{briefly(name)} is no name: it is empty, or holds signs that cannot be seen")
        # What a recipe says in place of a name.
        if name.lower() == OFFERED or name.lower().startswith("tier "):
            raise each.wrong(f"{briefly(name)} means more than one language in a recipe; take another name")
    return _texts(place)


def _texts(place: _Place) -> tuple[str, ...]:
    texts = tuple(_text(each) for each in place.items())
    for each in place.items():
        if "\0" in each.value:
            raise each.wrong("remove the NUL")
    if not texts or not all(texts):
        raise place.wrong("expected at least one text, and none of them empty; leave the key out for none")
    return texts


def _tags(place: _Place) -> tuple[str, ...]:
    return tuple(tag.lower() for tag in _texts(place))


def _install(place: _Place) -> Install:
    """Packages of registries, or free text as in an Agnostics pack, where a mapping holds lines of a container file."""
    if isinstance(place.value, list):
        return Install(debian=_named(place, NAMED["debian"]))
    if not isinstance(place.value, dict):
        return Install(text=(_text(place).strip(),))
    if tuple(place.value) == ("container-instructions",):
        return Install(text=tuple(_text(each).strip() for each in place.keys(tuple(place.value)).values()))
    places = place.keys(tuple(INSTALL_READERS))
    made = Install(**{key: INSTALL_READERS[key](each) for key, each in places.items()})
    if made.suite and not made.debian:
        raise place.wrong("a suite without packages of it; name them under `debian`")
    others = [name for name in (*NAMED, "source") if name != "debian" and getattr(made, name)]
    if made.suite and others:
        raise place.wrong(f"{others[0]} cannot be had in a root file system of a suite, which holds its packages alone")
    if bool(made.source) != bool(made.steps):
        raise place.wrong("source and steps belong together: a folder, and how what is in it is built")
    return made


def _named(place: _Place, form: str) -> tuple[str, ...]:
    """Names of packages, which are words of a command line: nothing that a tool could take for an option."""
    for each in place.items():
        if not re.fullmatch(form, _text(each)):
            raise each.wrong(f"{each.value!r} is not a package's name of the form {form}")
    return _texts(place)


def _source(place: _Place) -> str:
    """A folder beside the pack: whoever wrote the pack does not choose what else is read on this machine."""
    if not all(part and part not in (".", "..") for part in _text(place).split("/")) or place.value.startswith("~"):
        raise place.wrong(f"{place.value!r} is not the name of a folder beside the pack, such as tiny-sources")
    return str(place.value)


def _suite(place: _Place) -> str:
    if not re.fullmatch(r"[a-z]+", _text(place)):
        raise place.wrong(f"{place.value!r} is not the name of a Debian suite, such as trixie")
    return str(place.value)


def _container(place: _Place) -> str:
    """Kept as it is: boxes are not built from packs."""
    return place.value if isinstance(place.value, str) else json.dumps(place.value, sort_keys=True, default=str)


def _tier(place: _Place) -> int:
    if isinstance(place.value, bool) or place.value not in TIERS or not isinstance(place.value, int):
        raise place.wrong(f"expected a whole number between {TIERS[0]} and {TIERS[-1]}, not {_kind(place.value)}")
    return place.value


def _moment(place: _Place) -> str:
    if place.value not in MOMENTS:
        raise place.wrong(f"expected one of {', '.join(MOMENTS)}, the moment to fork at, not {_kind(place.value)}")
    return str(place.value)


def _calls(place: _Place) -> tuple[str, ...]:
    for each in place.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*( [^\n\0]+)?", _text(each)):
            raise each.wrong("expected the name of a C function, and behind it a text in one line or nothing")
    return _texts(place)


def _factors(place: _Place) -> Factors:
    given = {key: _factor(each) for key, each in place.keys(tuple(FACTORS)).items()}
    return Factors(tuple((name, given.get(name, 1.0)) for name in FACTORS))


def _factor(place: _Place) -> float:
    value = place.value
    # Beyond a hundred, or below one, it is a task's limits that are wrong and not the language.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 100:
        raise place.wrong(f"expected a number between 1 and 100, not {_kind(value)}")
    return float(value)


def _variables(place: _Place) -> tuple[tuple[str, str], ...]:
    """Variables with their texts, in an order that does not depend on how they were written down."""
    if not isinstance(place.value, dict) or not place.value:
        raise place.wrong(f"expected names with texts such as {{LC_ALL: C.UTF-8}}, not {_kind(place.value)}")
    return tuple(sorted(_variable(each) for each in place.keys(tuple(place.value)).values()))


def _variable(place: _Place) -> tuple[str, str]:
    name = str(place.path[-1])
    if not VARIABLE.fullmatch(name):
        raise place.wrong("not the name of a variable, which has letters, digits and _ and does not begin with a digit")
    if name in BOXES_OWN:
        raise place.wrong("each box sets it itself; remove it")
    if "\0" in _text(place):
        raise place.wrong("remove the NUL")
    return name, place.value


def _patterns(place: _Place) -> tuple[str, ...]:
    """Patterns of folders, from the root of all or from the user's own folder on."""
    for each in place.items():
        if not re.fullmatch(r"(~|(/[^/\0]+)*)(/[^/\0]+)+", _text(each)) or ".." in each.value.split("/"):
            raise each.wrong("expected a pattern of a toolchain's folders, such as ~/.rustup/toolchains/*")
    return _texts(place)


def _folders(place: _Place) -> tuple[str, ...]:
    """Folders of the toolchain; one that holds more than that is refused."""
    for each in place.items():
        parts = _text(each).split("/")
        if parts[0] or len(parts) < 3 or any(part in ("", ".", "..") for part in parts[1:]):
            raise each.wrong("expected the path of a toolchain's own folder, such as /var/lib/ghc")
        if f"/{parts[1]}" in PRIVATE:
            raise each.wrong(f"a box has a /{parts[1]} of its own, or must not show it")
    return _texts(place)


def _convention(place: _Place) -> Convention:
    places = place.keys(("files", "compile", "execute"))
    for needed in ("files", "execute"):
        if needed not in places:
            raise place.wrong(f"{needed} is missing from the test convention")
    compiled = _compile(places["compile"]) if "compile" in places else ""
    return Convention(_files(places["files"]), _command(places["execute"]), compiled)


def _files(place: _Place) -> tuple[tuple[str, str], ...]:
    """Files by their names, with one place at least for each of the two texts."""
    if not isinstance(place.value, dict) or not place.value:
        raise place.wrong(f"expected names with texts such as {{main.lua: ...}}, not {_kind(place.value)}")
    found = tuple((_plain(each, str(each.path[-1])), _text(each)) for each in place.keys(tuple(place.value)).values())
    for needed in (PROGRAM.decode(), TESTS.decode()):
        if not any(needed in text for _, text in found):
            raise place.wrong(f"no file holds {needed}, the place of that text")
    return found


def _self_tests(place: _Place) -> tuple[SelfTest, ...]:
    return tuple(_self_test(each) for each in place.items())


def _self_test(place: _Place) -> SelfTest:
    places = place.keys(tuple(SELF_TEST_READERS))
    for needed in ("name", "program", "expect"):
        if needed not in places:
            raise place.wrong(f"{needed} is missing from this self-test")
    given = {key: SELF_TEST_READERS[key](each) for key, each in places.items()}
    made = SelfTest(**{"input": "", "place": f"{place.document.file}:{place.document.line(place.path)}", **given})
    if made.output is None and not made.tests and made.expect in (Verdict.accepted, Verdict.wrong_answer):
        raise place.wrong(f"a self-test that expects {made.expect} needs an output to compare with")
    if len(made.output or "") * made.repeat > MOST_OUTPUT:
        raise place.wrong(f"its output is longer than {MOST_OUTPUT} characters; repeat it less often")
    return made


def _verdict(place: _Place) -> str:
    word = _text(place)
    if word not in SHOWN_BY_TESTS:
        near = nearest(word, SHOWN_BY_TESTS)
        advice = f"did you mean {near}?" if near else ", ".join(SHOWN_BY_TESTS)
        raise place.wrong(f"{briefly(word)} is no verdict that a program could show; {advice}")
    return word


def _repeat(place: _Place) -> int:
    if isinstance(place.value, bool) or not isinstance(place.value, int) or not 1 <= place.value <= MAX_REPEAT:
        raise place.wrong(f"expected a whole number between 1 and {MAX_REPEAT}, not {_kind(place.value)}")
    return place.value


# A failure of ours proves no language.
SHOWN_BY_TESTS = tuple(each for each in Verdict if each not in (Verdict.internal_error, Verdict.skipped))
EXAMPLES = {"filename": "main.lua", "execute": "lua5.4 main.lua"}
# The names of packages in each registry; where a version can be given, it must be: an upgrade is a change of verdicts.
NAMED = {
    "debian": r"[a-z0-9][a-z0-9+.-]*",
    "pip": r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9._+!-]+",
    "npm": r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9][A-Za-z0-9.+-]*",
    "go": r"[a-z0-9][A-Za-z0-9._~/-]*@v[0-9][A-Za-z0-9.+-]*",
    "cargo": r"[A-Za-z0-9][A-Za-z0-9_-]*@[0-9][A-Za-z0-9.+-]*",
    "maven": r"[A-Za-z0-9][A-Za-z0-9_.-]*:[A-Za-z0-9][A-Za-z0-9_.-]*:[0-9][A-Za-z0-9_.-]*",
}
INSTALL_READERS: dict[str, Callable[[_Place], Any]] = {
    **{registry: partial(_named, form=form) for registry, form in NAMED.items()},
    "suite": _suite,
    "source": _source,
    "steps": _texts,
}
READERS: dict[str, Callable[[_Place], Any]] = {
    "names": _names,
    "extensions": _texts,
    "tier": _tier,
    "prompt": _text,
    "install": _install,
    "filename": _filename,
    "compile": _compile,
    "execute": _command,
    "version": _texts,
    "fence_tags": _tags,
    "comment": _text,
    "limit_factors": _factors,
    "environment": _variables,
    "caches": _variables,
    "home": _patterns,
    "show": _folders,
    "zygote": _moment,
    "zygote_calls": _calls,
    "slow_start": _text,
    "self_test": _self_tests,
    "test": _convention,
    "docs": _text,
    "container": _container,
}
SELF_TEST_READERS: dict[str, Callable[[_Place], Any]] = {
    "name": _text,
    "program": _text,
    "input": _text,
    "expect": _verdict,
    "output": _text,
    "repeat": _repeat,
    "tests": _text,
}
