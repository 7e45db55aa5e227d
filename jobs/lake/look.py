"""Looking at a lake without a JVM: answers in a fraction of a second where Spark starts in ten."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

from tasklake.jobs.lake.uri import LakeError, LakeUri, existing
from tasklake.quality.tables import all_tables
from tasklake.sandbox_exec.documents import nearest

# How much of an engine's own words a person gets to read: it may print a whole file.
SAID = 400


def tables(lake: str) -> list[dict[str, Any]]:
    """Every table of the lake: name, version, rows, description."""
    found = {name: _open(name, place) for name, place in _places(lake).items()}
    return [
        {"name": name, "version": table.version(), "rows": _count(table), "description": all_tables()[name].doc}
        for name, table in found.items()
    ]


def rows(lake: str, table: str, limit: int) -> pa.Table:
    """The first rows of a table, newest first where it says when they were made."""
    definition = all_tables().get(table)
    if definition is None:
        right = nearest(table, all_tables())
        hint = f"; did you mean {right}?" if right else ""
        raise LakeError(f"no table is called {table}{hint} Tables: {', '.join(all_tables())}")
    order = next((f" ORDER BY {c} DESC" for c in ("made_at", "started_at") if c in definition.names), "")
    return query(lake, f"SELECT * FROM {table}{order} LIMIT {int(limit)}")


def query(lake: str, sql: str) -> pa.Table:
    """The answer to a question over all tables of the lake, in the SQL of deltalake's engine."""
    builder = QueryBuilder()
    for name, place in _places(lake).items():
        if name in sql:
            builder = builder.register(name, _open(name, place))
    try:
        # Through a stream: the plain constructor imports pandas, which takes longer than the answer.
        return pa.RecordBatchReader.from_stream(builder.execute(sql)).read_all()
    except Exception as error:  # noqa: BLE001  the engine raises a bare Exception for whatever is wrong with the statement
        raise LakeError(f"{sql}: {_said(error)} (lake {lake})") from None


def objects(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as Python objects, a map being a mapping and not a list of pairs."""
    rows: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="lossy")
    return rows


def definition(name: str, place: LakeUri) -> tuple[dict[str, Any], dict[str, str]]:
    """The schema of a table, as Delta writes it, and its properties."""
    table = _open(name, place)
    return json.loads(table.schema().to_json()), table.metadata().configuration


def _count(table: DeltaTable) -> int | None:
    """How many rows the table has, from its log alone; None where the log does not say it."""
    adds = pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True)).read_all()
    counts = adds.column("num_records").to_pylist() if "num_records" in adds.column_names else [None]
    return None if adds.num_rows and None in counts else sum(count or 0 for count in counts)


def _places(lake: str) -> dict[str, LakeUri]:
    """Where each table of the lake lies."""
    root = existing(lake)
    places = {name: root.child("tables", name) for name in all_tables()}
    return {name: place for name, place in places.items() if place.child("_delta_log").exists()}


def _open(name: str, place: LakeUri) -> DeltaTable:
    # A private store on a trusted network may speak plain HTTP; where it lies comes from the environment.
    options = None if place.is_local else {"allow_http": "true"}
    try:
        return DeltaTable(place.uri(), storage_options=options)
    except (DeltaError, ValueError, OSError) as error:
        told = f"table {name} cannot be read: {_said(error)}"
        raise LakeError(f"{told}; restore what is damaged in {place} from a copy of the lake") from None


def _said(error: Exception) -> str:
    """The engine's own words without its backtrace."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:SAID]
