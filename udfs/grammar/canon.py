"""Any value that equals one of the grammar becomes the one that stands for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tasklake.udfs.grammar.nodes import CONTAINERS, Node, NotInGrammar, member_index, short, sort_key


def canonical(value: Any, node: Node) -> Any:
    """The value that stands for all equal ones in this slot: 1.0 and True as 1, a view or a tuple as the list."""
    kind = node["t"]
    if kind in ("int", "float", "number"):
        return _canonical_number(value, node)
    if kind == "bool":
        if not isinstance(value, (bool, int, float)) or value not in (0, 1):
            raise NotInGrammar(f"{short(value)} is neither true nor false")
        return bool(value)
    if kind == "none":
        if value is not None:
            raise NotInGrammar(f"{short(value)} is not none")
        return None
    if kind == "text":
        if not isinstance(value, str):
            raise NotInGrammar(f"{short(value)} is not a text")
        return str(value)
    if kind == "dict":
        return _canonical_dict(value, node)
    if kind == "union":
        return _canonical_union(value, node)
    return _canonical_items(value, node)


def _canonical_number(value: Any, node: Node) -> int | float:
    if isinstance(value, (str, bytes)) or value is None:
        raise NotInGrammar(f"{short(value)} is not a number")
    try:
        whole = int(value)
        if node["t"] != "float" and value == whole:
            return whole
        rounded = float(format(float(value), f".{node.get('d', 0)}f")) + 0.0  # + 0.0: one zero, without a sign
    except (TypeError, ValueError, OverflowError) as error:
        raise NotInGrammar(f"{short(value)} is not a number that can be written") from error
    if node["t"] == "int" or not math.isfinite(rounded):
        raise NotInGrammar(f"{short(value)} is not an integer")
    return int(rounded) if node["t"] == "number" and rounded == int(rounded) else rounded


def _canonical_items(value: Any, node: Node) -> Any:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise NotInGrammar(f"{short(value)} is not a sequence")
    items = list(value)
    if node["t"] == "grid":
        outer, inner = node["py"]
        row = {"t": "list", "of": node["of"], "py": inner}
        rows = [_canonical_items(item, row) for item in items]
        if len({len(item) for item in rows}) > 1:
            raise NotInGrammar("the rows differ in length")
        return CONTAINERS[outer](rows)
    if node["t"] == "record":
        if len(items) != len(node["fields"]):
            raise NotInGrammar(f"{len(items)} fields instead of {len(node['fields'])}")
        return CONTAINERS[node["py"]](canonical(item, field) for item, field in zip(items, node["fields"], strict=True))
    chosen = CONTAINERS[node["py"]](canonical(item, node["of"]) for item in items)
    if isinstance(value, (set, frozenset)) and len(chosen) < len(items):
        raise NotInGrammar("two items of a set are written alike")
    return chosen


def _canonical_dict(value: Any, node: Node) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise NotInGrammar(f"{short(value)} does not hold pairs")
    pairs = [(canonical(k, node["key"]), canonical(v, node["value"])) for k, v in value.items()]
    if node["order"] == "sorted":
        pairs.sort(key=lambda pair: sort_key(pair[0], node["key"]))
    if len({key for key, _ in pairs}) != len(pairs):
        raise NotInGrammar("two keys are written alike")
    return dict(pairs)


def _canonical_union(value: Any, node: Node) -> Any:
    index = member_index(value, node)
    members = node["of"] if index is None else [node["of"][index]]
    for member in members:
        try:
            return canonical(value, member)
        except NotInGrammar:
            continue
    raise NotInGrammar(f"{short(value)} is of none of the kinds that may stand here")
