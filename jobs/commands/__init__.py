"""The commands of `tasklake`: plain functions that return an Answer. Printing and exit codes are jobs/cli.py's alone.

A command imports what it needs when it runs: looking at a lake or at --help must load no Spark.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tasklake.jobs.config import Settings
    from tasklake.jobs.recipe import Recipe

# Where `tasklake demo` goes by itself, beside a lake of one's own.
DEMO_LAKE = "./tasklake-demo"


@dataclass(frozen=True)
class Answer:
    """What a command found: `data` for programs, `view` for people, `ok` False when the work failed.

    A command whose exit code says more than that gives it as `code`.
    """

    data: Any
    view: Sequence[RenderableType]
    ok: bool = True
    code: int | None = None


@dataclass(frozen=True)
class Shared:
    """What every command takes."""

    directory: str | None
    as_json: bool
    debug: bool

    def settings(self, recipe: Recipe | None = None) -> Settings:
        """The settings of this command; messages are logged from the level that they ask for."""
        from tasklake.jobs.config import load_settings

        settings = load_settings(recipe.settings if recipe else None, lake=self.directory)
        logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        if self.debug:
            # Ours alone: the libraries below write a line per call.
            logging.getLogger("tasklake").setLevel(logging.DEBUG)
        return settings

    def present(self) -> Settings:
        """The settings with a lake to look at: the one that is set, else the demo's where that is the only one here."""
        settings = self.settings()
        only_demo = not Path(settings.lake).exists() and Path(DEMO_LAKE).exists()
        return (
            settings.model_copy(update={"lake": DEMO_LAKE})
            if "lake" not in settings.origins and only_demo
            else settings
        )


def known(kind: str, word: str, words: Iterable[str]) -> str:
    """The word, which is one of those known; else the user is told the nearest and all."""
    from tasklake.jobs.config import UsageError
    from tasklake.sandbox_exec.documents import nearest

    listed = list(words)
    if word in listed:
        return word
    right = nearest(word, listed)
    hint = f"did you mean {right}? " if right else ""
    raise UsageError(f"no {kind} is called {word}; {hint}there are {', '.join(listed)}")


SHARED = {
    "directory": Annotated[
        str | None, typer.Option("--dir", metavar="D", help="The lake: a folder or a URI. Also TASKLAKE_LAKE.")
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="Print one JSON value for a program to read.")],
    "debug": Annotated[bool, typer.Option("--debug", help="Show the stack trace of an error, and log everything.")],
}
DEFAULTS: dict[str, Any] = {"directory": None, "as_json": False, "debug": False}

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A packaged recipe's name or a YAML file.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=V", help="Change a value of the recipe; may be repeated.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another writer of the lake to end.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="The most rows to show.")]


def shared(function: Callable[..., Answer]) -> Callable[..., tuple[Shared, Answer]]:
    """A command that also takes --dir, --json and --debug, and hands them to the function as its first argument."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

    def call(**given: Any) -> tuple[Shared, Answer]:
        common = Shared(**{name: given.pop(name) for name in SHARED})
        return common, function(common, **given)

    parameters = own + [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=DEFAULTS[name], annotation=annotation)
        for name, annotation in SHARED.items()
    ]
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    call.__dict__["__signature__"] = inspect.Signature(parameters)
    return call
