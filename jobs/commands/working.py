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
    _bring_corpus(recipe, settings)
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
    return _done(*_loaded(shared, recipe, changes), first, until, wait)


def plan(shared: Shared, recipe: RecipeName, changes: Changes = None) -> Answer:
    """Show what a run would do, without doing or changing anything; ~ marks what is estimated."""
    from tasklake.jobs import runner

    loaded, settings = _loaded(shared, recipe, changes)
    with render.progress():
        found = runner.plan(loaded, settings).as_dict()
    return Answer(found, [render.plan(found["stages"])])


def release(shared: Shared, recipe: RecipeName, changes: Changes = None, wait: Wait = False) -> Answer:
    """Freeze a new version of a recipe's dataset from what the lake holds; nothing happens when nothing changed."""
    return _done(*_loaded(shared, recipe, changes), "release", "release", wait)


def _loaded(shared: Shared, name: str, changes: Changes) -> tuple[Recipe, Settings]:
    """The recipe, which reads the lake's own copies of packaged files, and the settings."""
    from tasklake.jobs.recipe import load_recipe

    recipe = load_recipe(name, changes or (), shared.settings().plugins)
    settings = shared.settings(recipe)
    return _with_corpus_at_hand(recipe, settings), settings


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


def _corpus(settings: Settings) -> Path | None:
    """The folder for copies of packaged files, which a person can edit; none in a bucket."""
    from tasklake.jobs.lake.uri import LakeUri

    root = LakeUri.parse(settings.lake)
    return Path(root.path) / "corpus" if root.is_local else None


def _with_corpus_at_hand(recipe: Recipe, settings: Settings) -> Recipe:
    """The recipe reads the copy in the lake's folder of each packaged file that has one there."""
    folder = _corpus(settings)
    if folder is None or not folder.is_dir():
        return recipe
    sources = tuple(_moved(source, folder, "path", "solutions_path") for source in recipe.sources)
    source = _moved(recipe.source, folder, "path", "solutions_path") if recipe.source else None
    moved = {"source": source, "sources": sources, "propose": _moved(recipe.propose, folder, "path")}
    return recipe.model_copy(update=moved)


def _moved(section: Any, folder: Path, *names: str) -> Any:
    """The section with each packaged file that has a copy in the folder named at its new place."""
    places = {name: tuple(_at_hand(place, folder) for place in getattr(section, name) or ()) for name in names}
    return section.model_copy(update={name: found for name, found in places.items() if found})


def _at_hand(place: str, folder: Path) -> str:
    copy = folder / place.rpartition("/")[2]
    return str(copy) if place.startswith(PACKAGE) and copy.exists() else place


def _bring_corpus(recipe: Recipe, settings: Settings) -> None:
    """Each packaged file that the recipe reads lies in the lake's folder; what lies there is left as it is."""
    folder = _corpus(settings)
    if folder is None:
        return
    groups = [recipe.propose.path, *(group for s in recipe.all_sources for group in (s.path, s.solutions_path or ()))]
    for place in (place for group in groups for place in group if place.startswith(PACKAGE)):
        _copy(place.removeprefix(PACKAGE), folder)


def _copy(inside: str, folder: Path) -> None:
    target = folder / inside.rpartition("/")[2]
    if target.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    # A copy that is cut off by a kill must not be taken for the whole corpus by the next run.
    partial = target.with_name(f".{target.name}.partial")
    with (
        importlib.resources.files("tasklake.jobs").joinpath(inside).open("rb") as packaged,
        partial.open("wb") as copy,
    ):
        shutil.copyfileobj(packaged, copy)
    partial.replace(target)
