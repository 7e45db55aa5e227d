"""Commands about languages: which are offered here, how the others are installed, and images of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasklake.jobs import render
from tasklake.jobs.commands import Answer, Shared

if TYPE_CHECKING:
    from tasklake.sandbox_exec.languages import Language

Quick = Annotated[bool, typer.Option("--quick", help="Only ask for the toolchains; run no self-test.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="Languages: their packs' ids or names.")]
Tier = Annotated[int | None, typer.Option("--tier", min=1, max=5, metavar="N", help="All languages of this tier.")]
All = Annotated[bool, typer.Option("--all", help="All languages that there are packs of.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write root file systems there instead, for hosts without Docker."),
]


def languages(shared: Shared, context: typer.Context, quick: Quick = False) -> Answer:
    """List the languages that this machine offers, and why the others are not: each is tried with its self-tests.

    A run asks for the toolchain alone: it does not wait for self-tests. `install` and `image` bring what is missing.
    """
    if context.invoked_subcommand:
        return Answer(None, [])
    from tasklake.jobs import preflight

    with render.progress("trying languages") as progress:
        rows = preflight.languages(shared.settings(), quick, progress)
    return Answer(rows, [render.records(rows)])


def install(
    shared: Shared, ids: Ids = None, tier: Tier = None, all_packs: All = False, dry_run: DryRun = False
) -> Answer:
    """Install toolchains as their packs say; what is there already is left alone, and one that fails stops no other."""
    import os

    from tasklake.sandbox_exec.errors import TasklakeError
    from tasklake.sandbox_exec.installing import packs

    chosen = _chosen(shared, ids or [], tier, all_packs)
    with render.progress("planning") as progress:
        plans = []
        for pack in chosen:
            progress(pack.id, {"text": "planning"})
            plans.append(packs.plan(pack, _beside(shared), fetch=not dry_run and os.geteuid() == 0))
        if dry_run:
            rows = [each.row("refused" if each.why_not else "to install" if each.does else "there") for each in plans]
            return Answer(rows, [render.records(rows)], not any(each.why_not for each in plans))
        if packs.lacks_rights(plans):
            words = _words(ids, tier, all_packs)
            raise TasklakeError(f"installing needs root: sudo tasklake languages install {words}")
        for line in (f"{each.pack.id}: {line}" for each in plans for line in each.does):
            progress("will do", {"text": line})
        rows = []
        for row in packs.installed(plans, lambda name, line: progress(name, {"text": line}), _beside(shared)):
            progress(row["id"], {"text": f"{row['done']} {row['reason']}".strip()})
            rows.append(row)
    return Answer(rows, [render.records(rows)], not any(row["done"] == "failed" for row in rows))


def image(shared: Shared, ids: Ids = None, tier: Tier = None, all_packs: All = False, out: Out = None) -> Answer:
    """Build an image of each language's toolchain for the level docker, or with --out a root file system to unpack.

    An archive of --out is put to use by `tar -C /opt/tasklake -xzf FILE`, on any machine of the same kind.
    """
    import os

    from tasklake.sandbox_exec.containers import engine
    from tasklake.sandbox_exec.errors import TasklakeError
    from tasklake.sandbox_exec.installing import images

    chosen = _chosen(shared, ids or [], tier, all_packs)
    if os.geteuid() != 0:
        raise TasklakeError(f"images are built by root: sudo tasklake languages image {_words(ids, tier, all_packs)}")
    if out is None and (reason := engine.why_not()):
        raise TasklakeError(f"{reason}; --out DIR writes root file systems that need no engine")
    rows = []
    with render.progress("building images") as progress:
        for row in images.built(chosen, lambda name, line: progress(name, {"text": line}), out, _beside(shared)):
            progress(row["id"], {"text": row["made"] or row["reason"]})
            rows.append(row)
    return Answer(rows, [render.records(rows)], not any(row["reason"] for row in rows))


def _words(ids: Sequence[str] | None, tier: int | None, all_packs: bool) -> str:
    return " ".join([*(ids or []), *([f"--tier {tier}"] if tier else []), *(["--all"] if all_packs else [])])


def _chosen(shared: Shared, ids: Sequence[str], tier: int | None, all_packs: bool) -> list[Language]:
    """The packs that were named, by their names, their tier, or all at once."""
    from tasklake.jobs.config import UsageError
    from tasklake.sandbox_exec.languages import PackError, language, load_languages

    if not ids and tier is None and not all_packs:
        raise UsageError("name languages, or give --tier N or --all; tasklake languages --quick lists them")
    known = load_languages(_beside(shared))
    try:
        named = [language(each, known) for each in ids]
    except PackError as error:
        raise UsageError(str(error)) from None
    wanted = [pack for _, pack in sorted(known.items()) if all_packs or pack.tier == tier]
    return list(dict.fromkeys((*named, *wanted)))


def _beside(shared: Shared) -> Path | None:
    """The folder of one's own packs, where their sources lie."""
    plugins = shared.settings().plugins
    return plugins / "languages" if plugins else None
