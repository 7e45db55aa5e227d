"""The smallest grammar node that holds every value seen in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tasklake.udfs.grammar.nodes import looks_other, one_token, plain, shape
from tasklake.udfs.grammar.refusal import Refused

MAX_DEPTH = 6  # deeper structures cannot be explained to a person in a few lines
MAX_INT_BITS = 14_000  # Python refuses to print integers of more than 4,300 digits
MAX_RECORD = 8  # longer fixed sequences of mixed kinds are lists whose length happens to repeat
MAX_ANSWER = 4  # the same for a whole result, which is seen only once per test
LONGEST_TUPLE = 3  # nested tuples of one kind up to this length are pairs and triples, longer ones are lists
OUTPUT_DECIMALS = 4  # the published MBPP convention
MAX_DECIMALS = 20  # repr() of a double near 1 needs 17; beyond 20 the value is not meant to be read as a decimal
MAX_OUTPUT_DECIMALS = 12  # enough that results down to 1e-9 keep four digits
SIGNIFICANT = 4  # digits that a small expected result keeps
NOISE = 1e-9  # a smaller expected result is a zero with a rounding error


@dataclass(frozen=True)
class Place:
    """Where a value stands: which way it travels, in how many tests, whether among others on a line, how deep."""

    output: bool
    tests: int
    inline: bool = False
    depth: int = 0

    def inner(self, inline: bool = True) -> Place:
        """The place of the parts of a value that stands here."""
        if self.depth >= MAX_DEPTH:
            raise Refused("too_deep", f"Values are nested more than {MAX_DEPTH} levels deep.")
        return Place(self.output, self.tests, inline, self.depth + 1)


def infer(values: Sequence[Any], place: Place) -> dict[str, Any]:
    """The node for all the values seen in one place; a kind that cannot be written is refused with its reason."""
    groups = _grouped(values)
    members = [_MAKERS[kind](groups[kind], place) for kind in _ORDER if kind in groups]
    if not members:
        return {"t": "int"}  # only ever empty containers were seen here: any type would do
    return members[0] if len(members) == 1 else _union(members, groups.get("text", []), place)


def _grouped(values: Iterable[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for value in values:
        groups.setdefault(_kind(value), []).append(value)
    return groups


def _kind(value: Any) -> str:
    if value is None:
        return "none"
    for types, kind in _KINDS:
        if isinstance(value, types):
            return kind
    raise Refused("unsupported_type", f"A value of type {type(value).__name__} has no form in plain text.")


def _union(members: list[dict[str, Any]], texts: list[str], place: Place) -> dict[str, Any]:
    blocks = any(node["t"] in ("list", "dict", "record", "grid") for node in members)
    if not blocks:
        text = next((node for node in members if node["t"] == "text"), None)
        if text is not None:
            text["form"] = _form(texts, inline=True)
        if text is None or text["form"] in ("token", "line"):
            return {"t": "union", "of": members, "tagged": any(looks_other(item) for item in texts)}
    return {"t": "union", "of": members, "tagged": True}


def _numbers(values: Sequence[Any], place: Place) -> dict[str, Any]:
    floats = [value for value in values if isinstance(value, float)]
    for value in values:
        if isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
            raise Refused("number_too_large", "An integer has more than 4,200 digits.")
    if not floats:
        return {"t": "int"}
    if any(value != value or value in (float("inf"), float("-inf")) for value in floats):
        raise Refused("not_finite", "An infinite number or NaN has no decimal form.")
    if any(isinstance(value, int) and abs(value) > 2**53 for value in values):
        raise Refused("not_injective", "Integers beyond 2^53 are mixed with decimals and would lose digits.")
    if place.output:
        return {"t": "float", "d": max(_output_decimals(value) for value in floats)}
    decimals = max(_decimals(value) for value in floats)
    if decimals > MAX_DECIMALS:
        raise Refused("float_range", f"An argument needs more than {MAX_DECIMALS} decimals.")
    return {"t": "float" if len(floats) == len(values) else "number", "d": decimals}


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(1, -exponent) if isinstance(exponent, int) else 1


def _output_decimals(value: float) -> int:
    if abs(value) < NOISE or abs(value) >= 1:
        return OUTPUT_DECIMALS
    needed = SIGNIFICANT - Decimal(repr(value)).adjusted() - 1
    return min(max(OUTPUT_DECIMALS, needed), MAX_OUTPUT_DECIMALS) if needed > OUTPUT_DECIMALS + 1 else OUTPUT_DECIMALS


def _text(values: Sequence[str], place: Place) -> dict[str, Any]:
    for value in values:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Refused("unwritable_text", "A text holds half a surrogate pair and has no UTF-8 form.") from error
    return {"t": "text", "form": _form(values, place.inline)}


def _form(values: Sequence[str], inline: bool) -> str:
    if inline and all(one_token(value) for value in values):
        return "token"
    if all(plain(value) for value in values):
        return "line"
    return "barred" if all(plain(f"|{value}|") for value in values) else "escaped"


def _sequence(values: Sequence[Any], place: Place) -> dict[str, Any]:
    py = "tuple" if all(isinstance(value, tuple) for value in values) else "list"
    record = _record(values, place, py)
    if record is not None:
        return record
    items = [item for value in values for item in value]
    grid = _grid(values, place, py, items)
    return grid if grid is not None else _list(items, place, py)


def _list(items: Sequence[Any], place: Place, py: str) -> dict[str, Any]:
    top = place.depth == 0
    mixed = len({_kind(item) for item in items}) > 1
    node = infer(items, place.inner(inline=not top or mixed))
    if shape(node) != "token":
        layout = "items"
    else:
        layout = "pair" if top else "row"
    return {"t": "list", "of": node, "py": py, "layout": layout}


def _set(values: Sequence[Any], place: Place) -> dict[str, Any]:
    py = "frozenset" if all(isinstance(value, frozenset) for value in values) else "set"
    return _list([item for value in values for item in value], place, py)


def _record(values: Sequence[Any], place: Place, py: str) -> dict[str, Any] | None:
    """A fixed row of fields, where the length is no accident of few tests."""
    lengths = {len(value) for value in values}
    if len(lengths) != 1 or not 1 < (length := lengths.pop()) <= MAX_RECORD:
        return None
    columns = [[value[index] for value in values] for index in range(length)]
    kinds = [{_kind(item) for item in column} for column in columns]
    union = {kind for column in kinds for kind in column}
    if len(union) == 1:
        fixed = py == "tuple" and place.depth > 0 and len(values) > 1 and length <= LONGEST_TUPLE
    elif place.depth == 0:
        fixed = place.output and length <= MAX_ANSWER
    else:
        fixed = not union & {"sequence", "set", "dict"} or len(values) > place.tests
    if not fixed or (len(union) > 1 and any(len(column) > 1 for column in kinds)):
        return None
    fields = [infer(column, place.inner()) for column in columns]
    layout = "row" if all(shape(field) == "token" for field in fields) else "items"
    return {"t": "record", "fields": fields, "py": py, "layout": layout}


def _grid(values: Sequence[Any], place: Place, py: str, items: Sequence[Any]) -> dict[str, Any] | None:
    if not items or not all(isinstance(item, (list, tuple)) for item in items):
        return None
    if any(len({len(row) for row in value}) != 1 or not value[0] for value in values):
        return None
    inner = "tuple" if all(isinstance(item, tuple) for item in items) else "list"
    if _record(items, place.inner(), inner) is not None:
        return None
    node = infer([cell for row in items for cell in row], place.inner().inner())
    return {"t": "grid", "of": node, "py": [py, inner]} if shape(node) == "token" else None


def _dict(values: Sequence[Mapping[Any, Any]], place: Place) -> dict[str, Any]:
    key = infer([key for value in values for key in value], place.inner())
    item = infer([item for value in values for item in value.values()], place.inner())
    fits = shape(key) == "token" and (shape(item) == "token" or (item["t"] == "list" and shape(item) == "line"))
    order = "sorted" if place.output else "given"
    return {"t": "dict", "key": key, "value": item, "order": order, "layout": "row" if fits else "items"}


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "bool"),
    ((int, float), "number"),
    (str, "text"),
    ((set, frozenset), "set"),
    ((list, tuple), "sequence"),
    (Mapping, "dict"),
)
_MAKERS: dict[str, Callable[[Sequence[Any], Place], dict[str, Any]]] = {
    "none": lambda values, place: {"t": "none"},
    "bool": lambda values, place: {"t": "bool"},
    "number": _numbers,
    "text": _text,
    "sequence": _sequence,
    "set": _set,
    "dict": _dict,
}
_ORDER = tuple(_MAKERS)  # the order in which the members of a union are tried and sorted
