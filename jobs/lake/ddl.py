"""The SQL that makes a table what its definition says, and the difference between a live table and its definition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasklake.quality.tables import Column, Role, Table

# How long a file that left a table is kept: history that outlives a month of training on one version.
KEPT_DAYS = 30
# Published tables keep to features that every reader without a JVM supports (DESIGN §4): no deletion vectors, classic
# checkpoints, even where a platform would switch them on.
PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    "delta.checkpointPolicy": "classic",
    "delta.logRetentionDuration": "interval 60 days",
    "delta.deletedFileRetentionDuration": f"interval {KEPT_DAYS} days",
}


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def column_ddl(column: Column) -> str:
    """The column's part of CREATE TABLE; keys are never null."""
    never_null = " NOT NULL" if column.role is Role.KEY else ""
    return f"`{column.name}` {column.type}{never_null} COMMENT {quoted(column.doc)}"


def create(table: Table, target: str) -> str:
    """The statement after which an absent table exists as defined, constraints included, in one commit."""
    columns = ", ".join(column_ddl(c) for c in table.columns)
    rules = {f"delta.constraints.{name}": rule for name, rule in table.constraints.items()}
    return (
        f"CREATE TABLE IF NOT EXISTS {target} ({columns}) USING delta COMMENT {quoted(table.doc)} "
        f"{clause({**PROPERTIES, **table.properties, **rules})}"
    )


def clause(properties: Mapping[str, str]) -> str:
    """The TBLPROPERTIES clause."""
    return "TBLPROPERTIES (" + ", ".join(f"{quoted(k)} = {quoted(v)}" for k, v in sorted(properties.items())) + ")"


def add_constraint(target: str, name: str, rule: str) -> str:
    """The statement that makes Delta refuse rows that break the rule."""
    return f"ALTER TABLE {target} ADD CONSTRAINT {name} CHECK ({rule})"


@dataclass(frozen=True)
class Difference:
    """One way in which a live table is not as defined; `mend` is empty where no statement can mend it.

    `rule` is what every row has to fulfil before it can be mended.
    """

    table: str
    what: str
    mend: tuple[str, ...] = ()
    why_not: str = ""
    rule: str = ""


def differences(table: Table, target: str, types: Mapping[str, str], live: Mapping[str, str]) -> list[Difference]:
    """Everything in which the live columns (name → type) and properties differ from the definition."""
    wanted = {c.name: c for c in table.columns}
    found = [_missing(table, target, wanted[n]) for n in wanted if n not in types]
    found += [_surplus(table, n) for n in types if n not in wanted]
    found += [
        _retyped(table, n, types[n], normal(wanted[n].type))
        for n in types
        if n in wanted and _differs(types[n], wanted[n])
    ]
    found += _constraints(table, target, live)
    return found + _properties(table, target, live)


def _differs(live: str, column: Column) -> bool:
    return normal(live) != normal(column.type)


def _missing(table: Table, target: str, column: Column) -> Difference:
    what = f"column {column.name} is missing"
    if column.role is Role.KEY:
        return Difference(table.name, what, why_not="it is part of the key: rows written without it have no identity")
    return Difference(
        table.name,
        what,
        (f"ALTER TABLE {target} ADD COLUMNS (`{column.name}` {column.type} COMMENT {quoted(column.doc)})",),
    )


def _surplus(table: Table, name: str) -> Difference:
    return Difference(
        table.name, f"column {name} is unknown to this version of the code", why_not="dropping it would lose data"
    )


def _retyped(table: Table, name: str, live: str, wanted: str) -> Difference:
    what = f"column {name} has type {live}, the code wants {wanted}"
    return Difference(table.name, what, why_not="rewriting stored values is not a migration; write to a new lake")


def _constraints(table: Table, target: str, live: Mapping[str, str]) -> list[Difference]:
    found = []
    for name, rule in table.constraints.items():
        stored = live.get(f"delta.constraints.{name}")
        if stored is None:
            add = add_constraint(target, name, rule)
            found.append(Difference(table.name, f"constraint {name} is missing", (add,), rule=rule))
        elif normal(stored) != normal(rule):
            swap = (f"ALTER TABLE {target} DROP CONSTRAINT {name}", add_constraint(target, name, rule))
            what = f"constraint {name} reads {stored}, the code wants {rule}"
            found.append(Difference(table.name, what, swap, rule=rule))
    return found


def _properties(table: Table, target: str, live: Mapping[str, str]) -> list[Difference]:
    wanted = {**PROPERTIES, **table.properties}
    wrong: Sequence[str] = [k for k, v in wanted.items() if live.get(k) != v]
    if not wrong:
        return []
    what = f"properties differ: {', '.join(wrong)}"
    return [Difference(table.name, what, (f"ALTER TABLE {target} SET {clause(wanted)}",))]


def normal(text: str) -> str:
    """The text of a type or rule without back-quotes and blanks, which Delta spells in its own way."""
    return text.replace("`", "").replace(" ", "").lower()


def words(rule: str) -> list[str]:
    """The names and literals in a rule."""
    return re.findall(r"\w+", rule)
