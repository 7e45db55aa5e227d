"""Commands that run a recipe or say what running it would do."""

from __future__ import annotations

import importlib.resources
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from tasklake.jobs import render
from tasklake.jobs.commands import DEMO_LAKE, Answer, Changes, RecipeName, Shared, Wait

if TYPE_CHECKING:
    from tasklake.jobs.config import Settings
    from tasklake.jobs.recipe import Recipe

From = Annotated[str | None, typer.Option("--from", metavar="STAGE", help="The first stage to run.")]
Until = Annotated[str | None, typer.Option("--until", metavar="STAGE", help="The last stage to run.")]

PACKAGE = "package:"


def demo(shared: Shared, wait: Wait = False) -> Answer:
    """Run the packaged demo from corpus to release; its lake is ./tasklake-demo unless --dir says otherwise."""
    from tasklake.jobs.config import load_settings
    from tasklake.jobs.recipe import load_recipe

    recipe = load_recipe("demo")
    settings = shared.settings(recipe)
    if "lake" not in settings.origins:
        settings = load_settings(recipe.settings, lake=DEMO_LAKE)
    return _done(_with_corpus_at_hand(recipe, settings), settings, wait=wait)


def run(
    shared: Shared,
    recipe: RecipeName,
    changes: Changes = None,
    first: From = None,
    until: Until = None,
    wait: Wait = False,
) -> Answer:
    """Run a recipe; what the lake already knows is not done again."""
    from tasklake.jobs.recipe import load_recipe

    loaded = load_recipe(recipe, changes or (), shared.settings().plugins)
    return _done(loaded, shared.settings(loaded), first, until, wait)


def plan(shared: Shared, recipe: RecipeName, changes: Changes = None) -> Answer:
    """Show what a run would do, without doing or changing anything; ~ marks what is estimated."""
    from tasklake.jobs import runner
    from tasklake.jobs.recipe import load_recipe

    loaded = load_recipe(recipe, changes or (), shared.settings().plugins)
    with render.progress():
        found = runner.plan(loaded, shared.settings(loaded)).as_dict()
    return Answer(found, [render.plan(found["stages"])])


def release(shared: Shared, recipe: RecipeName, changes: Changes = None, wait: Wait = False) -> Answer:
    """Freeze a new version of a recipe's dataset from what the lake holds; nothing happens when nothing changed."""
    from tasklake.jobs.recipe import load_recipe

    loaded = load_recipe(recipe, changes or (), shared.settings().plugins)
    return _done(loaded, shared.settings(loaded), "release", "release", wait)


def _done(
    recipe: Recipe, settings: Settings, first: str | None = None, until: str | None = None, wait: bool = False
) -> Answer:
    from tasklake.jobs import runner

    with render.progress() as progress:
        report = runner.run(recipe, settings, first=first, until=until, wait=wait, progress=progress).as_dict()
    lines = [f"lake    {report['lake']}", f"report  {report['report']}", "", "try next", *_next(settings.lake, recipe)]
    return Answer(report, [render.stages(report["stages"]), Text("\n" + "\n".join(lines))], report["status"] == "done")


def _next(lake: str, recipe: Recipe) -> list[str]:
    """What a person may want to type now."""
    at = f"--dir {shlex.quote(lake)}"
    looks = [f"tasklake rejects {at}"]
    if "execute" in recipe.stages:
        question = "SELECT language, verdict, count(*) AS n FROM verdicts GROUP BY language, verdict ORDER BY n DESC"
        looks = [f"tasklake show verdicts {at}", f'tasklake sql {at} "{question}"', *looks]
    else:
        looks = [f"tasklake show tasks {at}", *looks]
    return [f"  {look}" for look in [*looks, f"tasklake {'releases' if 'release' in recipe.stages else 'runs'} {at}"]]


def _with_corpus_at_hand(recipe: Recipe, settings: Settings) -> Recipe:
    """The recipe reads copies in the lake's folder, which a person can edit; in a bucket it reads the package's own."""
    from tasklake.jobs.lake.uri import LakeUri

    root = LakeUri.parse(settings.lake)
    if not root.is_local:
        return recipe
    folder = Path(root.path) / "corpus"
    sources = tuple(_moved(source, folder, "path", "solutions_path") for source in recipe.sources)
    return recipe.model_copy(update={"sources": sources, "propose": _moved(recipe.propose, folder, "path")})


def _moved(section: Any, folder: Path, *names: str) -> Any:
    """The section with each packaged file copied into the folder, unless it is there, and named at its new place."""
    places = {name: tuple(_copied(place, folder) for place in getattr(section, name) or ()) for name in names}
    return section.model_copy(update={name: found for name, found in places.items() if found})


def _copied(place: str, folder: Path) -> str:
    if not place.startswith(PACKAGE):
        return place
    inside = place.removeprefix(PACKAGE)
    target = folder / inside.rpartition("/")[2]
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # A copy that is cut off by a kill must not be taken for the whole corpus by the next run.
        partial = target.with_name(f".{target.name}.partial")
        with (
            importlib.resources.files("tasklake.jobs").joinpath(inside).open("rb") as packaged,
            partial.open("wb") as copy,
        ):
            shutil.copyfileobj(packaged, copy)
        partial.replace(target)
    return str(target)
