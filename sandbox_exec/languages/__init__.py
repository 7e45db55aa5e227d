"""Language packs: one YAML file per language, a superset of the Agnostics format, found by scanning this folder."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tasklake.sandbox_exec.documents import DocumentError, nearest
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages.pack import Language, SelfTest, read_pack
from tasklake.sandbox_exec.languages.tools import ToolchainMissing, commands, resolved, toolchain

__all__ = [
    "Language",
    "LanguageSet",
    "SelfTest",
    "ToolchainMissing",
    "UnknownLanguage",
    "broken_languages",
    "commands",
    "language",
    "load_languages",
    "resolved",
    "toolchain",
]


class UnknownLanguage(TasklakeError):
    """No pack has the name; the message says which was probably meant."""


class LanguageSet(NamedTuple):
    """The packs that load, by id, and why the others do not."""

    packs: dict[str, Language]
    broken: tuple[DocumentError, ...]


def load_languages(folder: Path | None = None) -> dict[str, Language]:
    """The packaged packs and those of an extra folder, by id; a pack there replaces a packaged one of the same id."""
    return dict(_packs(folder).packs)


def broken_languages(folder: Path | None = None) -> list[DocumentError]:
    """Why packs do not load, one error per file; the others go on working."""
    return list(_packs(folder).broken)


def language(id_or_name: str, packs: Mapping[str, Language] | None = None) -> Language:
    """The pack with that id or one of whose names it is, whatever the case."""
    known = _packaged().packs if packs is None else packs
    if id_or_name in known:
        return known[id_or_name]
    by_name = {name.lower(): pack for pack in known.values() for name in (pack.id, *pack.names)}
    if id_or_name.lower() in by_name:
        return by_name[id_or_name.lower()]
    meant = nearest(id_or_name.lower(), by_name)
    hint = f"did you mean {by_name[meant].id}?" if meant else f"known are {', '.join(sorted(known))}"
    raise UnknownLanguage(f"no language is called {id_or_name}; {hint}")


def _packs(folder: Path | None) -> LanguageSet:
    if folder is None or not folder.is_dir():
        return _packaged()
    extra = _read((path.name, str(path), path.read_bytes()) for path in sorted(folder.glob("*.yaml")))
    return LanguageSet({**_packaged().packs, **extra.packs}, (*_packaged().broken, *extra.broken))


@cache
def _packaged() -> LanguageSet:
    return _read(_packaged_files())


def _packaged_files() -> Iterator[tuple[str, str, bytes]]:
    for entry in sorted(importlib.resources.files(__name__).iterdir(), key=lambda each: each.name):
        if entry.name.endswith(".yaml"):
            yield entry.name, f"languages/{entry.name}", entry.read_bytes()


def _read(files: Iterator[tuple[str, str, bytes]]) -> LanguageSet:
    packs: dict[str, Language] = {}
    broken: list[DocumentError] = []
    for name, shown, raw in files:
        try:
            pack = read_pack(raw, name.removesuffix(".yaml"), shown)
        except DocumentError as error:
            broken.append(error)
        else:
            packs[pack.id] = pack
    return LanguageSet(packs, tuple(broken))
