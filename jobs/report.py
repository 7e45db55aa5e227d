"""The report of a run as one page without scripts or outside files, written into the lake."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from html import escape
from string import Template
from typing import Any

from tasklake.jobs.lake import look
from tasklake.jobs.stage import Run

# Enough to see what kind of rows are refused or published, little enough to read.
EXAMPLES = 3

QUESTIONS = {
    "verdicts": "SELECT language, verdict, count(*) AS candidates FROM verdicts GROUP BY language, verdict "
    "ORDER BY 1, 3 DESC",
    "rejects": "SELECT stage, reason, count(*) AS rows, min(detail) AS example FROM rejects WHERE current "
    "GROUP BY stage, reason ORDER BY 1, 3 DESC",
    "releases": "SELECT name, version, tasks, samples, digest, path FROM releases ORDER BY made_at DESC",
    "samples": "SELECT source_id, language, program FROM samples ORDER BY sample_id LIMIT " + str(EXAMPLES),
}


def write_report(run: Run, report: Mapping[str, Any]) -> str:
    """The page lies in the lake; its place is returned."""
    lake = str(run.lake.uri)
    found = {name: look.query(lake, sql).to_pylist() for name, sql in QUESTIONS.items()}
    page = Template(importlib.resources.files("tasklake.jobs").joinpath("report.html").read_text(encoding="utf-8"))
    programs = "".join(
        f"<h3>{escape(s['source_id'])} in {escape(s['language'])}</h3><pre>{escape(s['program'])}</pre>"
        for s in found["samples"]
    )
    text = page.substitute(
        recipe=escape(run.recipe.name),
        run_id=escape(run.run_id),
        lake=escape(lake),
        stages=table(report["stages"]),
        verdicts=table(found["verdicts"]),
        rejects=table(found["rejects"]),
        releases=table(found["releases"]),
        samples=programs or "<p>None yet.</p>",
    )
    place = run.lake.uri.child("report", f"{run.run_id}.html")
    place.write_bytes(text.encode())
    return str(place)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as an HTML table; everything in it is text, whatever it contains."""
    if not rows:
        return "<p>None yet.</p>"
    head = "".join(f"<th{_kind(value)}>{escape(str(name))}</th>" for name, value in rows[0].items())
    body = "".join(f"<tr>{''.join(_cell(value) for value in row.values())}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(value: Any) -> str:
    return f"<td{_kind(value)}>{escape(str(value))}</td>"


def _kind(value: Any) -> str:
    return " class='number'" if isinstance(value, int | float) else ""
