"""Every table of the lake as code: columns, key, constraints, properties, a paragraph, three questions with their SQL.

Adding a table is adding one module here that defines `TABLE`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache


class Role(StrEnum):
    """What a column is for: equality between runs, digests and diffs look at key and content only."""

    KEY = "key"
    CONTENT = "content"
    PROVENANCE = "provenance"


@dataclass(frozen=True)
class Column:
    """One column: its Spark SQL type and the sentence that becomes its comment."""

    name: str
    type: str
    doc: str
    role: Role = Role.CONTENT


@dataclass(frozen=True)
class Question:
    """Something a person would ask of the table, with the SQL that answers it."""

    asks: str
    sql: str


@dataclass(frozen=True)
class Table:
    """A table as code. `updates` is false for facts (insert only) and true where the newest content wins.

    `watched` names provenance columns whose change alone updates a row.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    questions: tuple[Question, ...]
    updates: bool = False
    watched: tuple[str, ...] = ()
    constraints: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """The names that identify a row."""
        return tuple(c.name for c in self.columns if c.role is Role.KEY)

    @property
    def content(self) -> tuple[str, ...]:
        """The names that equality between runs looks at, the key first."""
        return self.key + tuple(c.name for c in self.columns if c.role is Role.CONTENT)

    @property
    def names(self) -> tuple[str, ...]:
        """All column names in order."""
        return tuple(c.name for c in self.columns)

    def schema(self) -> str:
        """The columns as a Spark schema string."""
        return ", ".join(f"`{c.name}` {c.type}" for c in self.columns)


def key(name: str, doc: str, type: str = "string") -> Column:
    """A column that identifies a row: a content hash unless the type says otherwise."""
    return Column(name, type, doc, Role.KEY)


def provenance(name: str, type: str, doc: str) -> Column:
    """A column that says how a row came about and is left out of equality."""
    return Column(name, type, doc, Role.PROVENANCE)


MADE = (
    provenance("made_by", "string", "fingerprint of the rules, settings and versions that made the row"),
    provenance("run_id", "string", "the run that wrote the row; see `runs` for code version, recipe and inputs"),
    provenance("made_at", "timestamp", "when the row was written (UTC)"),
)


@cache
def all_tables() -> dict[str, Table]:
    """Every table by name, in the order of the row's journey."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    found = {m.TABLE.name: m.TABLE for m in modules}
    first = [name for name in JOURNEY if name in found]
    return {name: found[name] for name in first + sorted(set(found) - set(first))}


JOURNEY = (
    "problems",
    "tasks",
    "cases",
    "oracles",
    "llm_requests",
    "llm_responses",
    "candidates",
    "case_verdicts",
    "verdicts",
    "samples",
    "rejects",
    "releases",
    "runs",
)
