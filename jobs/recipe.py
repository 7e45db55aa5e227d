"""Reads a recipe: a packaged one by its name, or a file; with changes from --set; every mistake told at once."""

from __future__ import annotations

import copy
import importlib.resources
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasklake.jobs.config import UsageError
from tasklake.jobs.recipe_mistakes import Mistake, Place, RecipeError, keys_at, sentence, shown, spelled, suggestion
from tasklake.jobs.recipe_model import STAGES, Gate, Limits, Propose, Recipe, Release, Source, Stage
from tasklake.sandbox_exec.documents import Document, DocumentError, load_document, nearest
from tasklake.sandbox_exec.languages import load_languages

__all__ = [
    "STAGES", "Gate", "Limits", "Mistake", "Propose", "Recipe", "RecipeError", "Release", "Source", "Stage",
    "load_recipe", "packaged_recipes",
]  # fmt: skip

# A recipe is a page; a file beyond this is a corpus given in its place.
MAX_RECIPE_BYTES = 1024 * 1024

_RECIPES = importlib.resources.files("tasklake.jobs").joinpath("recipes")


def load_recipe(name_or_path: str, overrides: Sequence[str] = (), plugins: Path | None = None) -> Recipe:
    """The recipe, checked, with every `a.b=value` of `overrides` laid over it."""
    text, file = _find(name_or_path)
    document, twice = _document(name_or_path, text, file)
    changes = _Changes(document.data)
    for each in overrides:
        changes.apply(each)
    mistakes = [*twice, *changes.mistakes]
    try:
        recipe = Recipe.model_validate(changes.data, context=_known_names(plugins))
    except ValidationError as error:
        mistakes += [_located(each, document, changes) for each in error.errors(include_url=False)]
    if mistakes:
        raise RecipeError(name_or_path, mistakes)
    _load_plugins(recipe, plugins)
    return recipe


def _load_plugins(recipe: Recipe, plugins: Path | None) -> None:
    """Sources of the plugins folder work as far as they can be imported: told now, not after Spark has started."""
    from tasklake.jobs.sources import load_source, plugin_names

    for source in {each.source for each in recipe.all_sources} & set(plugin_names(plugins)):
        load_source(source, plugins)


def _known_names(plugins: Path | None) -> dict[str, Any]:
    """What a recipe may name: sources, gates and languages, the package's and those of the plugins folder."""
    from tasklake.jobs.sources import source_names
    from tasklake.quality.gates import all_gates

    gates, packs = (plugins / kind if plugins else None for kind in ("gates", "languages"))
    return {
        "sources": source_names(plugins),
        "gates": list(all_gates(gates)),
        "languages": load_languages(packs),
    }


def packaged_recipes() -> list[str]:
    """The names of the recipes that come with the package."""
    return sorted(each.name.removesuffix(".yaml") for each in _RECIPES.iterdir() if each.name.endswith(".yaml"))


def _find(name_or_path: str) -> tuple[str, str]:
    """The text of a recipe and the name of its file."""
    is_name = re.fullmatch(r"[\w-]+", name_or_path) is not None
    if is_name and name_or_path in packaged_recipes():
        return _RECIPES.joinpath(f"{name_or_path}.yaml").read_text(encoding="utf-8"), f"recipes/{name_or_path}.yaml"
    path = Path(name_or_path)
    if not path.is_file():
        right = nearest(path.name.removesuffix(".yaml"), packaged_recipes())
        hint = f"did you mean {right}? " if right else ""
        raise UsageError(
            f"no recipe {name_or_path}: {hint}give the path of a YAML file or one of {', '.join(packaged_recipes())}"
        )
    return _read(path), name_or_path


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise UsageError(
                f"{path}: larger than 1 MiB, which no recipe is; a corpus is given with --set source.path="
            )
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is not UTF-8; save the recipe as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None


def _document(name: str, text: str, file: str) -> tuple[Document, list[Mistake]]:
    """What the text says, and each key that it gives twice: only the first of them is read on."""
    spans = _repeated_keys(text)
    twice = [Mistake(f"{file}:{line}", f"{key} is given twice; keep one of the two") for line, key, _, _ in spans]
    for _, _, start, end in spans:
        # Blanks in place of the second one leave every other line where it was.
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    try:
        return load_document(text, file), twice
    except DocumentError as error:
        raise RecipeError(name, [*twice, _split(str(error), file)]) from None


def _repeated_keys(text: str) -> list[tuple[int, str, int, int]]:
    """Line, key and span of every entry whose key its mapping already has; none where the text is no YAML."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return []
    found: list[tuple[int, str, int, int]] = []
    # An alias leads to a node already seen: each is looked at once, however often it is named.
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if str(key.value) in keys:
                    end = value.end_mark.index
                    # Between brackets the comma belongs to the entry before it.
                    comma = re.compile(r"\s*,").match(text, end) if node.flow_style else None
                    found.append(
                        (key.start_mark.line + 1, str(key.value), key.start_mark.index, comma.end() if comma else end)
                    )
                keys.add(str(key.value))
        below = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else []
        below = list(node.value) if isinstance(node, yaml.SequenceNode) else below
        waiting += [each for each in below if id(each) not in seen]
        seen |= {id(each) for each in below}
    return sorted(found)


def _split(message: str, file: str) -> Mistake:
    """The mistake that a message of the form FILE:LINE: what tells of."""
    found = re.match(re.escape(file) + r"(:\d+)?", message)
    return Mistake(found.group(0), message[found.end() :].lstrip(": ")) if found else Mistake(file, message)


def _located(error: ErrorDetails, document: Document, changes: _Changes) -> Mistake:
    """A mistake beside the flag that made it, else beside its line."""
    place: Place = error["loc"]
    return Mistake(changes.made_by(place) or f"{document.file}:{document.line(place)}", sentence(error))


class _Changes:
    """A recipe's data with --set applied, and which flag each changed place came from."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = copy.deepcopy(data)
        self.mistakes: list[Mistake] = []
        self._flags: dict[Place, str] = {}

    def made_by(self, place: Place) -> str | None:
        """The flag that wrote a place or something around it."""
        return next((flag for at, flag in reversed(self._flags.items()) if place[: len(at)] == at), None)

    def apply(self, override: str) -> None:
        """`a.b=value` is in the data, or among the mistakes."""
        name, equals, text = override.partition("=")
        if not equals or not name.strip():
            keys = name.strip().split(".")
            right = suggestion(keys[0], keys_at(()), ()) if keys[0] not in keys_at(()) else ""
            hint = right if "did you mean" in right else ""
            self._refuse(override, f"is not of the form a.b=value, such as --set execute.limits.cpu_s=2{hint}")
            return
        keys = name.strip().split(".")
        if keys[0] == "source" and "sources" in self.data:
            self._refuse(override, f"this recipe has sources, so it is spelled {'.'.join(['sources.0', *keys[1:]])}")
            return
        try:
            place = self._put(keys, _value(text))
        except LookupError as error:
            self._refuse(override, str(error.args[0]))
            return
        self._flags[place] = f"--set {override}"

    def _refuse(self, override: str, what: str) -> None:
        self.mistakes.append(Mistake(f"--set {override}", what))

    def _put(self, keys: list[str], value: Any) -> Place:
        """Where the value now is; LookupError with a sentence when there is no such place."""
        at: Any = self.data
        place: Place = ()
        for number, key in enumerate(keys):
            last = number == len(keys) - 1
            step = _step(at, key, place)
            place = (*place, step)
            if last:
                at[step] = value
            elif isinstance(step, int) or isinstance(at.get(step), dict | list):
                at = at[step]
            elif keys_at(place):
                at[step] = {}
                at = at[step]
            else:
                raise LookupError(f"{spelled(place)} holds {shown(at.get(step))}, so nothing can be set below it")
        return place


def _step(at: Any, key: str, place: Place) -> str | int:
    """The key or index that is meant by one word of a path."""
    if isinstance(at, list):
        if key.isdecimal() and int(key) < len(at):
            return int(key)
        entries = " and ".join(spelled((*place, number)) for number in range(len(at))) or "none"
        named = {str(each.get("name") or each.get("source")): n for n, each in enumerate(at) if isinstance(each, dict)}
        right = nearest(key, named)
        hint = f"; did you mean {spelled((*place, named[right]))}, which is {right}?" if right else ""
        raise LookupError(f"{spelled(place)} is a list and has no entry {key}; it has {entries}{hint}")
    if not isinstance(at, dict):
        raise LookupError(f"{spelled(place)} holds {shown(at)}, so nothing can be set below it")
    known = keys_at(place)
    if key not in known:
        raise LookupError(f"unknown key {spelled((*place, key))}{suggestion(key, known, place)}")
    return key


def _value(text: str) -> Any:
    """What YAML reads in the text; text that is no scalar or list in YAML stands for itself."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        # ValueError: what looks like a date and is none, such as 2024-13-45.
        return text
    return text if isinstance(value, dict) and not text.lstrip().startswith("{") else value
