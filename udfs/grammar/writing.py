"""Canonical values become lines of text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasklake.udfs.grammar.canon import canonical
from tasklake.udfs.grammar.nodes import (
    ESCAPES,
    UNORDERED,
    Node,
    NotInGrammar,
    hidden,
    looks_other,
    member_index,
    one_token,
    plain,
    shape,
    short,
    sort_key,
    word,
)


def encode(value: Any, node: Node) -> list[str]:
    """The lines that stand for a canonical value; no other canonical value of the node has the same lines."""
    kind = node["t"]
    if kind == "list":
        return _encode_list(value, node)
    if kind == "grid":
        columns = len(next(iter(value), ()))
        return [f"{len(value)} {columns}", *(" ".join(_tokens(row, node["of"])) for row in value)]
    if kind == "record":
        parts = [encode(item, field) for item, field in zip(value, node["fields"], strict=True)]
        return _join(parts, node["layout"])
    if kind == "dict":
        lines = [str(len(value))]
        for key, item in value.items():
            lines += _join([encode(key, node["key"]), encode(item, node["value"])], node["layout"])
        return lines
    if kind == "union":
        return _encode_union(value, node)
    return [_encode_scalar(value, node)]


def _encode_scalar(value: Any, node: Node) -> str:
    kind = node["t"]
    if kind == "text":
        return write_text(value, node["form"])
    if kind == "none":
        return "none"
    if kind == "bool":
        return "true" if value else "false"
    if kind == "int" or (kind == "number" and isinstance(value, int)):
        return str(value)
    return format(value, f".{node['d']}f")


def _encode_list(value: Any, node: Node) -> list[str]:
    items = sorted(value, key=lambda item: sort_key(item, node["of"])) if node["py"] in UNORDERED else value
    count = str(len(items))
    if node["layout"] == "row":
        return [" ".join([count, *_tokens(items, node["of"])])]
    if node["layout"] == "pair":
        return [count, " ".join(_tokens(items, node["of"]))]
    return [count, *(line for item in items for line in encode(item, node["of"]))]


def _encode_union(value: Any, node: Node) -> list[str]:
    index = member_index(value, node)
    if index is None:
        raise NotInGrammar(f"{short(value)} is of none of the kinds that may stand here")
    member = node["of"][index]
    lines = encode(value, member)
    if not node["tagged"]:
        if member["t"] == "text" and looks_other(lines[0]):
            raise NotInGrammar("a text here must not look like a number, true, false or none")
        return lines
    if member["t"] == "none":
        return ["none"]
    return [word(member), *lines] if shape(node) == "block" else [f"{word(member)} {lines[0]}"]


def _tokens(items: Iterable[Any], node: Node) -> list[str]:
    return [encode(item, node)[0] for item in items]


def _join(parts: Sequence[list[str]], layout: str) -> list[str]:
    return [" ".join(part[0] for part in parts)] if layout == "row" else [line for part in parts for line in part]


def write_text(text: str, form: str) -> str:
    """The text as its form writes it; a text that the form cannot hold is refused."""
    if form == "escaped":
        return "|" + "".join(_escape(char) for char in text) + "|"
    if form == "barred":
        if any(hidden(char) for char in text):
            raise NotInGrammar("a text here must not hold line ends or control characters")
        return f"|{text}|"
    if not (one_token(text) if form == "token" else plain(text)):
        raise NotInGrammar("a text here must not hold line ends, nor blanks where they would be lost")
    return text


def _escape(char: str) -> str:
    return ESCAPES.get(char) or (f"\\u{{{ord(char):x}}}" if hidden(char) else char)


def write_result(result: Any, spec: Mapping[str, Any]) -> str:
    """The text of the output that stands for a result, after the conversions that the tests apply to it."""
    for name, *extra in spec["wrap"]:
        result = _WRAPPERS[name](result, *extra)
    node = spec["result"]
    return "".join(f"{line}\n" for line in encode(canonical(result, node), node))


_WRAPPERS: dict[str, Any] = {
    "set": set, "frozenset": frozenset, "sorted": sorted, "list": list, "tuple": tuple, "dict": dict,
    "int": int, "float": float, "bool": bool, "round": round, "abs": abs, "spelled": ast.literal_eval,
}  # fmt: skip
