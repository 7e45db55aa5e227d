"""Commands that keep a lake in shape, bring a release elsewhere, and say what this machine can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from tasklake.jobs import render
from tasklake.jobs.commands import Answer, Shared, known

if TYPE_CHECKING:
    from rich.console import RenderableType

ReleaseName = Annotated[
    str, typer.Argument(metavar="RELEASE", help="A dataset's name for its newest version, or NAME@VERSION.")
]
Format = Annotated[
    str, typer.Option("--format", metavar="F", help="The trainer's format; a wrong one lists those there are.")
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write to.")]
Tables = Annotated[list[str] | None, typer.Argument(metavar="[TABLE]…", help="The tables; all where none is named.")]
# The least is what the tables promise to readers of an older version: 30 days.
Hours = Annotated[int, typer.Option("--retain-hours", min=0, help="Keep what was current within these hours.")]
KeepReleases = Annotated[
    int,
    typer.Option(
        "--keep-releases", min=0, help="Keep the table versions that so many of the newest releases came from."
    ),
]

Glance = Annotated[bool, typer.Option("--quick", help="Run no program: no self-test, no attack, no measure.")]


def export(shared: Shared, release: ReleaseName, format: Format, out: Out) -> Answer:
    """Write a release in the format of a trainer."""
    from tasklake.jobs import release as releasing

    known("format", format, releasing.formats())
    return _records([releasing.export(shared.present(), release, format, out)])


def migrate(shared: Shared) -> Answer:
    """Bring tables of an earlier layout up to date; what cannot be mended is refused with its reason."""
    from tasklake.jobs import upkeep

    with render.progress():
        return _records(upkeep.migrate(shared.present()), "every table is as the code describes it")


def optimize(shared: Shared, tables: Tables = None) -> Answer:
    """Put the small files of tables together."""
    from tasklake.jobs import upkeep

    with render.progress():
        return _records(upkeep.optimize(shared.present(), tables or []), "nothing to put together")


def vacuum(shared: Shared, retain_hours: Hours = 720, keep_releases: KeepReleases = 3) -> Answer:
    """Remove files that no kept version of a table needs; releases themselves are copies and stay."""
    from tasklake.jobs import upkeep

    with render.progress():
        return _records(upkeep.vacuum(shared.present(), retain_hours, keep_releases), "nothing to remove")


def doctor(shared: Shared, quick: Glance = False) -> Answer:
    """Check this machine: what is missing, languages, isolation levels, attacks on each, speed, every setting's origin.

    A missing language is no failure; an attack that succeeds is.
    """
    from tasklake.jobs import preflight

    settings = shared.settings()
    with render.progress("checking this machine") as progress:
        found = {**preflight.doctor(settings, quick, progress), "settings": settings.describe()}
    checks = found["checks"]
    marked = {**found, "checks": [{**check, "ok": "yes" if check["ok"] else "NO"} for check in checks]}
    view: list[RenderableType] = []
    for rows in marked.values():
        view += [render.records(rows), Text("")] if rows else []
    needed = [check for check in checks if not check["check"].startswith("language ")]
    holds = not any(row["succeeded"] for row in found["attacks"])
    return Answer(found, view[:-1], holds and all(check["ok"] for check in needed))


def _records(rows: Any, nothing: str = "nothing here") -> Answer:
    found = list(rows or ())
    return Answer(found, [render.records(found, (), render.console().width) if found else Text(nothing)])
