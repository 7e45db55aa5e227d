"""The report of a run as one page without scripts or outside files, written into the lake."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from html import escape
from string import Template
from typing import Any

from tasklake.jobs.lake import look
from tasklake.jobs.lake.ddl import quoted
from tasklake.jobs.stage import Run

# Enough to see what kind of rows are refused or published, little enough to read.
EXAMPLES = 3
NOTHING = "<p>None yet.</p>"
# What is current is known to the stages alone: a run that ended before them cannot tell it.
UNSEEN = "<p>This run did not look at them.</p>"

QUESTIONS = {
    "rejects": "SELECT stage, reason, count(*) AS rows, min(detail) AS example FROM rejects WHERE current "
    "AND source IN ({sources}) GROUP BY stage, reason ORDER BY 1, 3 DESC",
    "releases": "SELECT name, version, tasks, samples, digest, path FROM releases ORDER BY made_at DESC",
}


def write_report(run: Run, report: Mapping[str, Any]) -> str:
    """The page lies in the lake; its place is returned. What is superseded stands in no count of it."""
    lake = str(run.lake.uri)
    sources = ", ".join(quoted(source) for source in run.sources)
    found = {name: look.objects(look.query(lake, sql.format(sources=sources))) for name, sql in QUESTIONS.items()}
    page = Template(importlib.resources.files("tasklake.jobs").joinpath("report.html").read_text(encoding="utf-8"))
    text = page.substitute(
        recipe=escape(run.recipe.name),
        run_id=escape(run.run_id),
        lake=escape(lake),
        stages=table(report["stages"]),
        verdicts=_verdicts(run),
        rejects=table(found["rejects"]),
        releases=table(found["releases"]),
        samples=_samples(run),
    )
    place = run.lake.uri.child("report", f"{run.run_id}.html")
    place.write_bytes(text.encode())
    return str(place)


def _verdicts(run: Run) -> str:
    """How many current candidates got which verdict."""
    now = run.memo.get("verdicts")
    if now is None:
        return UNSEEN
    held = run.lake.read("verdicts").join(now.select("verdict_id"), on="verdict_id", how="left_semi")
    rows = held.groupBy("language", "verdict").count().withColumnRenamed("count", "candidates").collect()
    return table(sorted((row.asDict() for row in rows), key=lambda row: (row["language"], -row["candidates"])))


def _samples(run: Run) -> str:
    """Some of the samples that would be released now."""
    now = run.memo.get("samples")
    if now is None:
        return UNSEEN
    held = run.lake.read("samples").join(now.select("sample_id"), on="sample_id", how="left_semi")
    rows = held.select("sample_id", "source_id", "language", "program").orderBy("sample_id").limit(EXAMPLES).collect()
    programs = [
        f"<h3>{escape(s['source_id'])} in {escape(s['language'])}</h3><pre>{escape(s['program'])}</pre>" for s in rows
    ]
    return "".join(programs) or NOTHING


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as an HTML table; everything in it is text, whatever it contains."""
    if not rows:
        return NOTHING
    head = "".join(f"<th{_kind(value)}>{escape(str(name))}</th>" for name, value in rows[0].items())
    body = "".join(f"<tr>{''.join(_cell(value) for value in row.values())}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(value: Any) -> str:
    return f"<td{_kind(value)}>{escape(str(value))}</td>"


def _kind(value: Any) -> str:
    return " class='number'" if isinstance(value, int | float) else ""
