"""Commands that only look at a lake. None but `sql` starts a JVM."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from tasklake.jobs import render
from tasklake.jobs.commands import Answer, Limit, Shared, known

TableName = Annotated[str, typer.Argument(metavar="TABLE", help="A table's name; `tasklake tables` lists them.")]
Statement = Annotated[str, typer.Argument(metavar="SELECT", help="A question in Spark SQL; tables go by their names.")]
StageName = Annotated[str | None, typer.Option("--stage", metavar="STAGE", help="Only the rejects of this stage.")]


def tables(shared: Shared) -> Answer:
    """List the tables of the lake, and the views beside them, with version, rows and what each holds."""
    from tasklake.jobs import views
    from tasklake.jobs.lake import look

    settings = shared.present()
    return _records([*look.tables(settings.lake), *views.listed(settings)])


def show(shared: Shared, table: TableName, limit: Limit = 20) -> Answer:
    """Show rows of a table, the newest first, or of a view."""
    from tasklake.jobs.lake import look
    from tasklake.jobs.views import VIEWS
    from tasklake.quality.tables import all_tables

    known("table", table, (*all_tables(), *VIEWS))
    if table in VIEWS:
        return _records(VIEWS[table].rows(shared.settings())[:limit])
    return _records(look.objects(look.rows(shared.present().lake, table, limit)))


def sql(shared: Shared, statement: Statement) -> Answer:
    """Answer a question in Spark SQL, time travel included; --json gives a list of row objects."""
    from tasklake.jobs import upkeep
    from tasklake.jobs.lake import look

    with render.progress():
        return _records(look.objects(upkeep.sql(statement, shared.present())))


def runs(shared: Shared, limit: Limit = 20) -> Answer:
    """List the runs, the newest first."""
    found = _ask(shared, "SELECT * FROM runs ORDER BY started_at DESC", limit)
    rows = [
        {
            **{name: row.get(name) for name in ("run_id", "recipe", "status", "started_at", "seconds")},
            **{name: sum(each[name] for each in row.get("stages") or ()) for name in ("new", "rejected", "executed")},
            "error": row.get("error"),
        }
        for row in found
    ]
    return Answer(found, _records(rows).view)


def rejects(shared: Shared, stage: StageName = None, limit: Limit = 50) -> Answer:
    """List the rows that were refused, each with its reason, and how many there are of each kind."""
    from tasklake.jobs.recipe import STAGES

    where = "current" if stage is None else f"current AND stage = '{known('stage', stage, STAGES)}'"
    kinds = _ask(
        shared,
        f"SELECT stage, reason, count(*) AS n FROM rejects WHERE {where} GROUP BY stage, reason ORDER BY n DESC",
        1000,
    )
    columns = "stage, source, subject, reason, detail, location, excerpt, run_id"
    rows = _ask(shared, f"SELECT {columns} FROM rejects WHERE {where} ORDER BY stage, source, subject", limit)
    total = sum(kind["n"] for kind in kinds)
    left = [Text(f"\n{total - len(rows):,} more; see them with --limit {total}")] if total > len(rows) else []
    lines = _records(rows, "stage", "source", "subject", "reason", "location", "detail").view
    return Answer(rows, [*_records(kinds).view, *([Text(""), *lines, *left] if rows else [])])


def releases(shared: Shared, limit: Limit = 50) -> Answer:
    """List the frozen datasets, the newest first."""
    found = _ask(shared, "SELECT * FROM releases ORDER BY made_at DESC", limit)
    return Answer(
        found, _records(found, "name", "version", "tasks", "samples", "languages", "digest", "path", "made_at").view
    )


def _ask(shared: Shared, question: str, limit: int) -> list[dict[str, Any]]:
    from tasklake.jobs.lake import look

    return look.objects(look.query(shared.present().lake, f"{question} LIMIT {limit}"))


def _records(rows: list[dict[str, Any]], *columns: str) -> Answer:
    return Answer(rows, [render.records(rows, columns, render.console().width) if rows else Text("nothing here")])
