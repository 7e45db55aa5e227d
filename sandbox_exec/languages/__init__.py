"""The languages that programs can be run in: one YAML file each, here or in a plugin folder. No code knows any of them.

A pack is a superset of the Agnostics format (`prompt, install, filename, compile, execute, container`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages import scarcity
from tasklake.sandbox_exec.languages.model import Convention, Factors, Install, Language, NoConventionError, SelfTest
from tasklake.sandbox_exec.languages.reading import OFFERED, TIERS, PackError, read_language
from tasklake.sandbox_exec.languages.toolchains import Ground, ToolchainMissing, ground, resolved, toolchain
from tasklake.sandbox_exec.probing import SEARCH_PATH

__all__ = [
    "OFFERED",
    "SEARCH_PATH",
    "TIERS",
    "Convention",
    "Factors",
    "Ground",
    "Install",
    "Language",
    "NoConventionError",
    "PackError",
    "SelfTest",
    "ToolchainMissing",
    "broken_languages",
    "ground",
    "language",
    "load_languages",
    "resolved",
    "toolchain",
]

SUFFIX = ".yaml"
# The largest of ours has a fiftieth of it; a larger one would take seconds to read, for every command.
MOST_BYTES = 1 << 20
# The stem, the file, and what it holds or why it cannot be read.
Source = tuple[str, str, bytes | TasklakeError]


class Packs(dict[str, Language]):
    """Languages by their ids, and why others have none: by the file of a broken pack."""

    broken: Mapping[str, str] = MappingProxyType({})


def load_languages(folder: Path | None = None) -> Packs:
    """Every language by its id; a pack of the plugin folder replaces ours, a broken one is left out."""
    packs = Packs(_loaded(folder)[0])
    packs.broken = broken_languages(folder)
    return packs


def broken_languages(folder: Path | None = None) -> dict[str, str]:
    """Why each broken pack cannot be used, by its file."""
    return dict(_loaded(folder)[1])


def language(name: str, packs: Mapping[str, Language] | None = None) -> Language:
    """The language of that id or name, in any case of letters."""
    known = load_languages() if packs is None else packs
    if name in known:
        return known[name]
    asked = name.strip().lower()
    for file, why in known.broken.items() if isinstance(known, Packs) else ():
        if Path(file).stem.lower() == asked:
            raise PackError(f"the pack of {asked} is broken: {why}")
    # Ids before names, so that no pack takes another's, and the last first: a plugin's pack was read after ours.
    for named in (lambda pack: (pack.id,), lambda pack: pack.names):
        for pack in reversed(list(known.values())):
            if asked in (each.lower() for each in named(pack)):
                return pack
    near = nearest(asked, sorted({each.lower() for pack in known.values() for each in (pack.id, *pack.names)}))
    advice = f"did you mean {near}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
    raise PackError(f"no language is called {name}; {advice}")


@cache
def _loaded(folder: Path | None) -> tuple[dict[str, Language], dict[str, str]]:
    packs: dict[str, Language] = {}
    broken: dict[str, str] = {}
    ours = list(_packaged())
    own = {file for _, file, _ in ours}
    for stem, file, held in (*ours, *_plugins(folder)):
        # Also ends what an earlier pack of that name said: to run another definition than the one asked for,
        # because the latter is broken, would be a silent change of every verdict.
        packs.pop(stem, None)
        try:
            packs[stem] = read_language(_decoded(file, held), file, stem, ours=file in own)
        except TasklakeError as error:
            broken[file] = str(error)
    return packs, broken


def _packaged() -> Iterator[Source]:
    """Our own packs, read so that they are found inside a zip on an executor too."""
    for each in sorted(resources.files(__name__).iterdir(), key=lambda found: found.name):
        if each.name.endswith(SUFFIX) and each.name != scarcity.FILE:
            yield each.name.removesuffix(SUFFIX), str(each), each.read_bytes()


def _plugins(folder: Path | None) -> Iterator[Source]:
    if folder is None or not folder.is_dir():
        return
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        yield path.stem, str(path), _held(path)


def _held(path: Path) -> bytes | PackError:
    # What is no file, such as a pipe, would be waited for.
    if path.exists() and not path.is_file():
        return PackError(f"{path}:1: is no file; a pack is a file of YAML")
    try:
        if path.stat().st_size > MOST_BYTES:
            return PackError(f"{path}:1: has more than {MOST_BYTES} bytes, which no pack needs")
        return path.read_bytes()
    except OSError as error:
        return PackError(f"{path}:1: cannot be read: {error.strerror}")


def _decoded(file: str, held: bytes | TasklakeError) -> str:
    if isinstance(held, TasklakeError):
        raise held
    try:
        return held.decode("utf-8")
    except UnicodeDecodeError as error:
        line = held.count(b"\n", 0, error.start) + 1
        raise PackError(f"{file}:{line}: not UTF-8 text; save the file as UTF-8") from None
