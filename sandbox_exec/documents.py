"""YAML with line numbers, for language packs and recipes: safe types only, duplicate keys refused."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from tasklake.sandbox_exec.errors import TasklakeError

Path = tuple[str | int, ...]
# A pack or a recipe has a few hundred nodes; a million come from aliases that refer to aliases.
MAX_NODES = 100_000
# Long enough to find a value in its line, short enough for one sentence.
SHOWN = 40
TAG = "tag:yaml.org,2002:"
# What a document may hold: plain data. A tag on anything else asks for an object.
SCALARS = tuple(TAG + kind for kind in ("null", "bool", "int", "float", "str", "timestamp", "binary"))
# PyYAML says in these ways that a text is not the number, date or truth value that its form or tag promises.
UNMADE = (ValueError, LookupError, AttributeError, ArithmeticError)

# Reads our own files in a seventh of the time; what somebody else has nested deeply would end the process.
QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DocumentError(TasklakeError):
    """A YAML file cannot be read; the message begins with FILE:LINE."""


@dataclass(frozen=True)
class Document:
    """The data of a YAML file and where each part of it stands."""

    data: dict[str, Any]
    file: str
    lines: dict[Path, int] = field(default_factory=dict, repr=False)

    def line(self, path: Path) -> int:
        """The line of the key at the path, or of its nearest parent that is there."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def load_document(text: str, file: str, *, ours: bool = False) -> Document:
    """The document, which must be a mapping; anything unsafe or ambiguous is refused with its line."""
    try:
        loader = (QUICK if ours else yaml.SafeLoader)(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DocumentError(
            f"{file}:{line}: not valid YAML: holds the character {chr(error.character)!r}; remove it"
        ) from None
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise DocumentError(f"{file}:1: expected keys with values, such as `name: value`")
        reader = _Reader(loader, file)
        data = reader.read(root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(f"{file}:{mark.line + 1 if mark else 1}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise DocumentError(f"{file}:1: not valid YAML: {error}") from None
    finally:
        loader.dispose()
    return Document(data, file, reader.lines)


class _Reader:
    """Turns nodes into plain data and remembers their lines."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self.loader = loader
        self.file = file
        self.lines: dict[Path, int] = {}
        self.seen = 0
        # The lists and mappings that are being read: an alias may lead back into one of them.
        self.within: set[int] = set()

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.seen += 1
        if self.seen > MAX_NODES:
            raise DocumentError(
                f"{self.file}:{node.start_mark.line + 1}: more than {MAX_NODES} values; remove the aliases"
            )
        self.lines.setdefault(path, node.start_mark.line + 1)
        if not isinstance(node, yaml.CollectionNode):
            return self._scalar(node)
        if id(node) in self.within:
            raise self._wrong(node, "it holds itself, by an alias; remove the alias")
        self.within.add(id(node))
        made = self._collection(node, path)
        self.within.remove(id(node))
        return made

    def _collection(self, node: yaml.CollectionNode, path: Path) -> Any:
        if isinstance(node, yaml.MappingNode):
            self._untagged(node, "map")
            return self._mapping(node, path)
        self._untagged(node, "seq")
        return [self.read(item, (*path, number)) for number, item in enumerate(node.value)]

    def _untagged(self, node: yaml.Node, kind: str) -> None:
        if node.tag != TAG + kind:
            raise self._wrong(node, f"the tag {node.tag} asks for an object, and only plain data is read; remove it")

    def _scalar(self, node: yaml.Node) -> Any:
        kind = node.tag.removeprefix(TAG)
        if node.tag not in SCALARS:
            raise self._wrong(node, f"{kind} is no kind of plain value; remove the tag or put the value in quotes")
        try:
            made = self.loader.construct_object(node)
            # An escape may stand for half of a character, which no file and no command can hold.
            str(made).encode()
            return made
        except UNMADE:
            text = str(node.value)
            shown = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
            raise self._wrong(node, f"{shown!r} cannot be read as {kind}; put it in quotes for text") from None

    def _wrong(self, node: yaml.Node, what: str) -> DocumentError:
        return DocumentError(f"{self.file}:{node.start_mark.line + 1}: not valid YAML: {what}")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._wrong(key_node, "a key is a list or a mapping; write it as text")
            key = self._scalar(key_node)
            if not isinstance(key, str):
                raise DocumentError(f"{self.file}:{line}: key {key!r} is not text; put it in quotes")
            if key in made:
                first = self.lines[(*path, key)]
                raise DocumentError(f"{self.file}:{line}: key {key} is given twice, first in line {first}; keep one")
            self.lines[(*path, key)] = line
            made[key] = self.read(value_node, (*path, key))
        return made


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
