"""Lines of text become the values that they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tasklake.udfs.grammar.nodes import (
    CONTAINERS,
    INTEGER,
    NUMERIC,
    UNESCAPES,
    WORDS,
    Node,
    NotInGrammar,
    looks_other,
    shape,
    word,
)

MAX_NUMBER = 4300  # characters; Python refuses to read longer integers


def split_lines(text: str) -> Iterator[str]:
    """The lines of a case; the end of the last line is optional."""
    return iter(text[:-1].split("\n") if text.endswith("\n") else text.split("\n"))


def decode(lines: Iterator[str], node: Node) -> Any:
    """The value that the next lines stand for."""
    kind = node["t"]
    if shape(node) != "block":
        return parse(_next(lines), node)
    if kind == "list":
        count = _count(_next(lines))
        if node["layout"] == "pair":
            items = _split(_next(lines), count, node["of"])
        else:
            items = [decode(lines, node["of"]) for _ in range(count)]
        return CONTAINERS[node["py"]](items)
    if kind == "grid":
        sizes = _next(lines).split(" ")
        rows, columns = (_count(size) for size in (sizes if len(sizes) == 2 else ["", ""]))
        outer, inner = (CONTAINERS[name] for name in node["py"])
        return outer([inner(_split(_next(lines), columns, node["of"])) for _ in range(rows)])
    if kind == "record":
        return CONTAINERS[node["py"]]([decode(lines, field) for field in node["fields"]])
    if kind == "dict":
        return dict(_decode_pair(lines, node) for _ in range(_count(_next(lines))))
    kind_word = _next(lines)
    member = _announced(kind_word, node)
    return None if member["t"] == "none" else decode(lines, member)


def _decode_pair(lines: Iterator[str], node: Node) -> tuple[Any, Any]:
    if node["layout"] == "row":
        key, _, value = _next(lines).partition(" ")
        return parse(key, node["key"]), parse(value, node["value"])
    return decode(lines, node["key"]), decode(lines, node["value"])


def parse(text: str, node: Node) -> Any:
    """The value that one line, or one token of it, stands for."""
    kind = node["t"]
    if kind == "text":
        return read_text(text, node["form"])
    if kind == "list":
        head, _, rest = text.partition(" ")
        return CONTAINERS[node["py"]](_split(rest, _count(head), node["of"]))
    if kind == "record":
        tokens = text.split(" ")
        if len(tokens) != len(node["fields"]):
            raise NotInGrammar(f"{len(tokens)} values on a line that needs {len(node['fields'])}")
        return CONTAINERS[node["py"]](
            [parse(token, field) for token, field in zip(tokens, node["fields"], strict=True)]
        )
    if kind == "union":
        return _parse_union(text, node)
    return _parse_scalar(text, node)


def _parse_scalar(text: str, node: Node) -> Any:
    kind = node["t"]
    if len(text) > MAX_NUMBER:
        raise NotInGrammar(f"{text[:40]!r}… is too long for a value of this kind ({kind})")
    if kind == "none" and text == "none":
        return None
    if kind == "bool" and text in WORDS:
        return WORDS[text]
    if kind in ("int", "number") and INTEGER.fullmatch(text):
        return int(text)
    if kind in ("float", "number") and NUMERIC.fullmatch(text):
        return float(text)
    raise NotInGrammar(f"{text[:40]!r} is not of the kind that must stand here ({kind})")


def _parse_union(text: str, node: Node) -> Any:
    if node["tagged"]:
        head, _, rest = text.partition(" ")
        member = _announced(head, node)
        return None if member["t"] == "none" else parse(rest, member)
    for member in node["of"]:
        try:
            if member["t"] != "text" or not looks_other(text):
                return parse(text, member)
        except NotInGrammar:
            continue
    raise NotInGrammar(f"{text[:40]!r} is of none of the kinds that may stand here")


def _announced(kind_word: str, node: Node) -> Node:
    for member in node["of"]:
        if word(member) == kind_word:
            return member  # type: ignore[no-any-return]
    raise NotInGrammar(f"{kind_word[:40]!r} announces no kind that may stand here")


def _split(text: str, count: int, node: Node) -> list[Any]:
    tokens = text.split(" ") if text else []
    if len(tokens) != count:
        raise NotInGrammar(f"{len(tokens)} values where {count} were announced")
    return [parse(token, node) for token in tokens]


def _count(text: str) -> int:
    if not INTEGER.fullmatch(text) or len(text) > 9 or text.startswith("-"):  # 9 digits: more cannot fit into a case
        raise NotInGrammar(f"{text[:40]!r} is not a count")
    return int(text)


def _next(lines: Iterator[str]) -> str:
    line = next(lines, None)
    if line is None:
        raise NotInGrammar("the text ends too early")
    return line


def read_text(text: str, form: str) -> str:
    """The text that a written form stands for."""
    if form in ("token", "line"):
        return text
    if len(text) < 2 or not (text.startswith("|") and text.endswith("|")):
        raise NotInGrammar("a text here stands between two vertical bars")
    return text[1:-1] if form == "barred" else re.sub(r"\\(u\{([0-9a-f]{1,6})\}|.)", _unescape, text[1:-1])


def _unescape(found: re.Match[str]) -> str:
    if found[2]:
        code = int(found[2], 16)
        return chr(code) if code < 0x110000 else "?"
    return UNESCAPES.get(found[1], "")


def read_arguments(text: str, spec: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The positional and the named arguments that the text of a case stands for."""
    lines = split_lines(text)
    values = [(item["keyword"], decode(lines, item["node"])) for item in spec["arguments"]]
    if next(lines, None) is not None:
        raise NotInGrammar("the text goes on after the last value")
    return [v for k, v in values if k is None], {k: v for k, v in values if k is not None}


def read_result(text: str, spec: Mapping[str, Any]) -> Any:
    """The result that the text of an output stands for."""
    lines = split_lines(text)
    result = decode(lines, spec["result"])
    if next(lines, None) is not None:
        raise NotInGrammar("the text goes on after the last value")
    return result
