"""What a grammar node is, how much room its values take, and in which order unordered values are written.

This file, canon.py, writing.py and reading.py are the package's codec and, joined as text by adapter.py, the reader and
writer inside every adapted oracle: so they import only the standard library and each other, raise an exception of their
own instead of a TasklakeError, and keep to the syntax of Python 3.10, the oldest that a sandbox may bring.

A node is a JSON object; "t" names its type:
  int | bool | none                the words true, false and none stand for the values that have no digits
  float  d                         always d decimals
  number d                         whole numbers without a point, all others with d decimals
  text   form                      token (no blanks) | line | barred (between | and |) | escaped (barred, escapes)
  list   of, py, layout            count, then items; row (one line) | pair (two lines) | items (each on its own lines)
  grid   of, py                    "rows columns", then one line per row; py holds the outer and the inner container
  record fields, py, layout        row (one line) | items
  dict   key, value, order, layout row | items; order given | sorted
  union  of, tagged                tagged: the kind's word goes before the value
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Node = Mapping[str, Any]

INTEGER = re.compile(r"-?[0-9]+")
NUMERIC = re.compile(r"-?[0-9]+(\.[0-9]+)?")
WORDS = {"true": True, "false": False}
CONTAINERS: dict[str, Any] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
UNORDERED = ("set", "frozenset")
ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
UNESCAPES = {"\\": "\\", "n": "\n", "t": "\t", "r": "\r"}
KINDS = {"int": "number", "float": "number", "number": "number", "bool": "boolean", "dict": "pairs", "grid": "table"}
LINE_BREAKS = "\x85\u2028\u2029"  # some languages end a line at these, so they are escaped like control characters


class NotInGrammar(ValueError):
    """The value or the text is not one that the grammar can write or read."""


def shape(node: Node) -> str:
    """Says how much room a value takes: token (no blanks), line (one line, blanks allowed) or block (several lines)."""
    kind = node["t"]
    if kind == "text":
        return "token" if node["form"] == "token" else "line"
    if kind in ("list", "record", "dict", "grid"):
        return "line" if kind in ("list", "record") and node["layout"] == "row" else "block"
    if kind == "union":
        shapes = {shape(member) for member in node["of"]}
        if "block" in shapes:
            return "block"
        return "line" if node["tagged"] or "line" in shapes else "token"
    return "token"


def word(node: Node) -> str:
    """The word that announces a value of this node in a tagged union."""
    if node["t"] == "list":
        return "set" if node["py"] in UNORDERED else "list"
    return str(KINDS.get(node["t"], node["t"]))


def plain(text: str) -> bool:
    """True when the text can stand alone on a line: nothing that a reader may trim or take for a line end."""
    return text == text.strip() and not any(hidden(char) for char in text)


def hidden(char: str) -> bool:
    """True for control characters and for line ends of any language."""
    return ord(char) < 32 or ord(char) == 127 or char in LINE_BREAKS


def one_token(text: str) -> bool:
    """True when the text is one word without blanks."""
    return bool(text) and plain(text) and not any(char.isspace() for char in text)


def looks_other(text: str) -> bool:
    """True when a reader would take the text for a number or for one of the three words."""
    return text in WORDS or text == "none" or NUMERIC.fullmatch(text) is not None


def sort_key(value: Any, node: Node) -> Any:
    """A key that puts values of this node in the stated order: by number, by character code, item by item."""
    kind = node["t"]
    if kind == "none":
        return 0
    if kind == "list":
        keys = [sort_key(item, node["of"]) for item in value]
        return tuple(sorted(keys) if node["py"] in UNORDERED else keys)
    if kind == "grid":
        return tuple(tuple(sort_key(item, node["of"]) for item in row) for row in value)
    if kind == "record":
        return tuple(sort_key(item, field) for item, field in zip(value, node["fields"], strict=True))
    if kind == "dict":
        return tuple((sort_key(k, node["key"]), sort_key(v, node["value"])) for k, v in value.items())
    if kind == "union":
        index = member_index(value, node) or 0
        return (index, sort_key(value, node["of"][index]))
    return value


def member_index(value: Any, node: Node) -> int | None:
    """The place of the union's member that the value's own type belongs to, or None."""
    kinds = _kinds_of(value)
    for index, member in enumerate(node["of"]):
        if ("set" if member.get("py") in UNORDERED else member["t"]) in kinds:
            return index
    return None


def _kinds_of(value: Any) -> tuple[str, ...]:
    if value is None:
        return ("none",)
    for types, kinds in _KINDS_OF:
        if isinstance(value, types):
            return kinds
    return ()


_KINDS_OF: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (bool, ("bool",)),
    (int, ("int", "number", "float")),
    (float, ("float", "number")),
    (str, ("text",)),
    ((set, frozenset), ("set",)),
    (Mapping, ("dict",)),
    (Iterable, ("list", "record", "grid")),
)


def short(value: Any) -> str:
    """The value's type: the value itself may be huge."""
    return f"a value of type {type(value).__name__}"
