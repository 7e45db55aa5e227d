"""Each mistake in a recipe as one sentence with its place and the nearest right name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from tasklake.jobs.config import EXPECTED, UsageError
from tasklake.jobs.recipe_model import Recipe
from tasklake.sandbox_exec.documents import nearest

Place = tuple[str | int, ...]

# What a person gets to read of a value that may be a whole corpus pasted into the wrong key.
SHOWN = 60


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a recipe: where, and what to do."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"

    @property
    def order(self) -> tuple[str, int]:
        """From the top of the file to its end, as a person goes through it."""
        file, _, line = self.where.rpartition(":")
        return (file, int(line)) if line.isdecimal() else (self.where, 0)


class RecipeError(UsageError):
    """A recipe cannot be used; every mistake in it is told at once."""

    def __init__(self, recipe: str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.order))
        lines = [str(mistake) for mistake in self.mistakes]
        head = f"recipe {recipe} has {len(lines)} mistakes:\n  "
        super().__init__(lines[0] if len(lines) == 1 else head + "\n  ".join(lines))


def sentence(error: ErrorDetails) -> str:
    """What is wrong at one place of a recipe and what would be right."""
    place, kind = error["loc"], error["type"]
    name = spelled(place)
    if kind == "extra_forbidden":
        return f"unknown key {name}{suggestion(str(place[-1]), keys_at(place[:-1]), place[:-1])}"
    if kind == "missing":
        return f"{name} is missing: say {_meaning(place)}{_how_to_set(place)}"
    if kind == "recipe_absent":
        return f"{name} {error['msg']}"
    if kind == "recipe_unknown":
        return f"{name}: {error['msg']}"
    return f"{name} is {shown(error['input'])}; {_expected(error)}"


def spelled(place: Place) -> str:
    """A place as it is written after --set."""
    return ".".join(str(part) for part in place) or "the recipe"


def shown(value: Any) -> str:
    """A value as a person wrote it, cut where it is long."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else repr(value)
    text = "nothing" if value is None else str(text)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def keys_at(place: Place) -> list[str]:
    """The keys that a recipe may have at a place; none where it holds a plain value."""
    model: type[BaseModel] | None = Recipe
    for part in place:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part) if model else None
        model = _model_in(field.annotation) if field else None
    return list(model.model_fields) if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model), None)


def suggestion(word: str, known: list[str], parent: Place) -> str:
    """The key that was probably meant, here or in a section, else those known here."""
    right = nearest(word, known)
    if right:
        return f": did you mean {spelled((*parent, right))}?"
    elsewhere = [(key, right) for key in keys_at(()) if (right := nearest(word, keys_at((key,))))] if not parent else []
    exact = [each for each in elsewhere if each[1] == word] or elsewhere
    return f": did you mean {spelled(exact[0])}?" if exact else f"; known here: {', '.join(known)}"


def _meaning(place: Place) -> str:
    """What a required key is for, from its own description."""
    parent, key = keys_at(place[:-1]), str(place[-1])
    model: type[BaseModel] | None = Recipe
    for part in place[:-1]:
        field = model.model_fields.get(str(part)) if model and isinstance(part, str) else None
        model = _model_in(field.annotation) if field else model
    return (model.model_fields[key].description if model and key in parent else None) or "what it is"


def _how_to_set(place: Place) -> str:
    return f" {spelled(place)}=FILE" if place[-1] == "path" else ""


_PLAIN: dict[str, str] = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must be a mapping of keys to values",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "must be small letters, digits and . _ - (at most 64, a letter or digit first)",
}


def _expected(error: ErrorDetails) -> str:
    kind, given = error["type"], error["input"]
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        right = nearest(str(given), choices)
        return f"must be {_either(choices)}" + (f" (did you mean {right}?)" if right else "")
    if kind == "string_type" and given is not None and not isinstance(given, list | tuple | Mapping):
        return "must be text: put it in quotes"
    if kind == "string_pattern_mismatch" and error["loc"][-1] in EXPECTED:
        return f"must be {EXPECTED[str(error['loc'][-1])]}"
    if kind in ("model_type", "model_attributes_type", "dataclass_type"):
        return _PLAIN["model_type"]
    return _PLAIN.get(kind) or error["msg"].replace("Input should be", "must be")


def _either(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
