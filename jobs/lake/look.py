"""Looking at a lake without a JVM: answers in a fraction of a second where Spark starts in ten."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from tasklake.jobs.lake.uri import LakeError, LakeUri
from tasklake.quality.tables import all_tables
from tasklake.sandbox_exec.documents import nearest


def tables(lake: str) -> list[dict[str, Any]]:
    """Every table of the lake: name, version, rows, description."""
    found = _open_all(lake)
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
    for name, table in _open_all(lake).items():
        if name in sql:
            builder = builder.register(name, table)
    try:
        # Through a stream: the plain constructor imports pandas, which takes longer than the answer.
        return pa.RecordBatchReader.from_stream(builder.execute(sql)).read_all()
    except Exception as error:  # noqa: BLE001  the engine raises a bare Exception for whatever is wrong with the statement
        raise LakeError(f"{sql}: {error}") from None


def _count(table: DeltaTable) -> int:
    """How many rows the table has, from its log alone."""
    adds = pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True)).read_all()
    return sum(adds.column("num_records").to_pylist())


def _open_all(lake: str) -> dict[str, DeltaTable]:
    root = LakeUri.parse(lake)
    found = {
        name: root.child("tables", name) for name in all_tables() if root.child("tables", name, "_delta_log").exists()
    }
    if not found:
        raise LakeError(
            f"{lake} holds no lake yet; make one with `tasklake demo --dir {lake}` or `tasklake run RECIPE`"
        )
    # A private store on a trusted network may speak plain HTTP; where it lies comes from the environment.
    options = None if root.is_local else {"allow_http": "true"}
    return {name: DeltaTable(str(place), storage_options=options) for name, place in found.items()}
