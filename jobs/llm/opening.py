"""A lake that one command writes to, outside of a run of a recipe's stages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tasklake.jobs.config import Settings, UsageError
from tasklake.jobs.lake import Lake, LakeUri
from tasklake.jobs.lake.lease import Lease
from tasklake.jobs.recipe import Recipe
from tasklake.jobs.render import Progress
from tasklake.jobs.runner import new_run_id
from tasklake.jobs.session import driver_processes, session
from tasklake.jobs.stage import Run


@contextmanager
def lake(settings: Settings, command: str, wait: bool, progress: Progress) -> Iterator[Lake]:
    """The lake under a lease, every table there; nothing that was pinned stays."""
    uri = LakeUri.parse(settings.lake)
    lease = Lease(uri, command, wait=wait, told=lambda text: progress("lease", {"text": text}))
    with lease, session(settings, uri) as spark:
        for process in driver_processes(spark):
            lease.add_process(process)
        opened = Lake(spark, uri, lease=lease, run_id=new_run_id())
        opened.ensure()
        opened.unpin()
        yield opened
        opened.unpin()


@contextmanager
def run(recipe: Recipe, settings: Settings, wait: bool, progress: Progress) -> Iterator[Run]:
    """A run on the lake that does no stage."""
    if recipe.propose.provider != "llm":
        raise UsageError(f"recipe {recipe.name} asks no model: set propose.provider to llm and add a section llm")
    with lake(settings, f"tasklake llm export {recipe.name}", wait, progress) as opened:
        yield Run(opened.spark, opened, recipe, settings, opened.run_id, progress)
