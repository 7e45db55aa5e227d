"""Views: what can be asked for by name beside the tables of a lake, and is held by the package instead of the lake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tasklake.jobs.config import Settings
from tasklake.sandbox_exec.languages import load_languages
from tasklake.sandbox_exec.languages.scarcity import scarcity


@dataclass(frozen=True)
class View:
    """A view: a sentence on it, the Spark type of all its rows, and its rows under some settings."""

    name: str
    doc: str
    schema: str
    rows: Callable[[Settings], list[dict[str, Any]]]


def _scarcity(settings: Settings) -> list[dict[str, Any]]:
    folder = settings.plugins / "languages" if settings.plugins else None
    return [asdict(row) for row in scarcity(load_languages(folder))]


VIEWS = {
    view.name: view
    for view in (
        View(
            "language_scarcity",
            "How scarce programs of each language are (tier 1: best served, 5: scarcest), and which pack runs it here.",
            "array<struct<language: string, tier: int, pack: string>>",
            _scarcity,
        ),
    )
}


def listed(settings: Settings) -> list[dict[str, Any]]:
    """Every view as `tasklake tables` lists it: a view has no versions."""
    return [
        {"name": view.name, "version": None, "rows": len(view.rows(settings)), "description": view.doc}
        for view in VIEWS.values()
    ]
