"""How scarce each language is among what models learn from, whether or not there is a pack for it: data, read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from tasklake.sandbox_exec.documents import load_document
from tasklake.sandbox_exec.languages.model import Language
from tasklake.sandbox_exec.languages.reading import TIERS, PackError

# Lies among the packs, and is none.
FILE = "scarcity.yaml"


@dataclass(frozen=True)
class Scarcity:
    """A language, how scarce it is (1: best served, 5: scarcest), and the id of its pack where there is one."""

    language: str
    tier: int
    pack: str | None = None


def scarcity(packs: Mapping[str, Language]) -> list[Scarcity]:
    """Every language of the table, from the best served to the scarcest, each with its pack among those given."""
    ids = {name.lower(): pack.id for pack in packs.values() for name in (*pack.names, pack.id)}
    return [Scarcity(name, tier, ids.get(name.lower())) for name, tier in _table().items()]


@cache
def _table() -> dict[str, int]:
    held = resources.files(__package__).joinpath(FILE)
    return read_scarcity(held.read_text("utf-8"), str(held))


def read_scarcity(text: str, file: str) -> dict[str, int]:
    """The tier of each language; a mistake is told with its line."""
    document = load_document(text, file)
    tiers: dict[str, int] = {}
    for key, names in document.data.items():
        place = f"{file}:{document.line((key,))}"
        if key not in map(str, TIERS):
            raise PackError(f'{place}: no tier {key}; there are "{TIERS[0]}" to "{TIERS[-1]}"')
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise PackError(f"{place}: tier {key}: expected a list of names such as [Lua, Perl]")
        for name in names:
            if name in tiers:
                raise PackError(f"{place}: {name} is in tier {tiers[name]} already; keep one")
            tiers[name] = int(key)
    return tiers
