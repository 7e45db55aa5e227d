"""Pure expressions of literals have values; everything else is refused. Nothing is ever executed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

from tasklake.udfs.grammar.refusal import Refused

BUDGET = 1_000_000  # parts of all values of a problem, each counted as often as it is used: about a second of work
MAX_DEPTH = 40  # far deeper than MAX_DEPTH of the grammar, far shallower than Python's stack
MAX_BITS = 14_000  # Python refuses to print integers of more than 4,300 digits
MAX_LENGTH = 5_000  # items or characters that one operation may build: sets of colliding numbers cost the square of it
MAX_DIGITS = 20  # round(1, -10**9) would compute a number of a billion digits


class Evaluator:
    """Values of literal expressions over named constants, within one budget for all of them."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._left = BUDGET

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        """The value of the expression; Refused when it is not a pure expression of literals or too large."""
        self._pay(1)
        if depth > MAX_DEPTH:
            raise Refused("too_deep", f"A literal of the tests is nested more than {MAX_DEPTH} levels deep.")
        for kind, method in _METHODS:
            if isinstance(node, kind):
                return method(self, node, depth + 1)
        raise _not_literal(node)

    def _pay(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise Refused("too_large", "The values of the tests have too many parts.")

    def _paid(self, value: Any) -> Any:
        """The value, all of whose parts the budget allows: a repeated sequence shares its parts, its text would not."""
        pending = [value]
        while pending:
            item = pending.pop()
            parts = [*item, *item.values()] if isinstance(item, dict) else item
            if isinstance(parts, (list, tuple, set, frozenset)):
                self._pay(len(parts))
                pending.extend(parts)
            elif isinstance(item, str):
                self._pay(len(item) // 8)  # 8: a number takes about as much room
        return value

    def values(self, nodes: Sequence[ast.expr], depth: int) -> list[Any]:
        """The values of the expressions, one by one."""
        return [self.value(node, depth) for node in nodes]

    def constant(self, node: ast.Constant, depth: int) -> Any:
        """The constant itself, where it has a form in plain text."""
        if node.value is Ellipsis or isinstance(node.value, (bytes, complex)):
            raise Refused("unsupported_type", f"A {type(node.value).__name__} literal has no form in plain text.")
        return _bounded(node.value) if isinstance(node.value, int) else node.value

    def name(self, node: ast.Name, depth: int) -> Any:
        """What the setup code assigned to the name."""
        if node.id not in self.names:
            raise _not_literal(node)
        return self._paid(self.names[node.id])

    def mapping(self, node: ast.Dict, depth: int) -> Any:
        """The dict of the literal's pairs."""
        keys = [key for key in node.keys if key is not None]
        if len(keys) < len(node.values):
            raise _not_literal(node)
        return dict(zip(self.values(keys, depth), self.values(node.values, depth), strict=True))

    def unary(self, node: ast.UnaryOp, depth: int) -> Any:
        """A signed number, or the negation of a truth value."""
        operand = self.value(node.operand, depth)
        if isinstance(node.op, ast.Not):
            return not operand
        if not isinstance(operand, (int, float)) or isinstance(node.op, ast.Invert):
            raise _not_literal(node)
        return -operand if isinstance(node.op, ast.USub) else operand

    def binary(self, node: ast.BinOp, depth: int) -> Any:
        """The result of arithmetic on numbers, or of joining and repeating sequences."""
        left, right = self.value(node.left, depth), self.value(node.right, depth)
        function = _OPERATORS.get(type(node.op))
        if function is None:
            raise _not_literal(node)
        if isinstance(node.op, ast.Pow):
            _bound_power(left, right)
        if isinstance(node.op, ast.Mult):
            _bound_product(left, right)
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            raise _not_literal(node)  # "%1000000000d" % 1 would build a gigabyte
        return self._paid(_bounded(function(left, right)))

    def call(self, node: ast.Call, depth: int) -> Any:
        """The result of a pure built-in function."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS or node.keywords:
            raise _not_literal(node)
        arguments = self.values(node.args, depth)
        if name == "range" and len(range(*arguments)) > MAX_LENGTH:
            raise Refused("too_large", "A range of the tests is too long.")
        return self._paid(_bounded(FUNCTIONS[name](*arguments)))


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise Refused("number_too_large", "An integer of the tests has more than 4,200 digits.")
    if isinstance(value, (str, list, tuple, range)) and len(value) > MAX_LENGTH:
        raise Refused("too_large", "A sequence of the tests is too long.")
    return list(value) if isinstance(value, range) else value


def _bound_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and abs(exponent) * base.bit_length() > 2 * MAX_BITS:
        raise Refused("number_too_large", "A power in the tests has more than 4,200 digits.")


def _bound_product(left: Any, right: Any) -> None:
    for sequence, count in ((left, right), (right, left)):
        if isinstance(sequence, (str, list, tuple)) and isinstance(count, int) and len(sequence) * count > MAX_LENGTH:
            raise Refused("too_large", "A repeated sequence of the tests is too long.")


def _round(value: Any, digits: Any = None) -> Any:
    return round(value) if digits is None else round(value, max(-MAX_DIGITS, min(MAX_DIGITS, digits)))


def _sum(values: Any) -> Any:
    if not all(isinstance(value, (int, float)) for value in values):
        raise TypeError(
            "a sum of something else than numbers"
        )  # joining lists this way costs the square of their number
    return sum(values)


def _not_literal(node: ast.expr) -> Refused:
    return Refused("argument_not_literal", f"A test uses an expression that is not made of literals ({_what(node)}).")


def _what(node: ast.expr) -> str:
    name = node.func if isinstance(node, ast.Call) else node
    return f"{type(node).__name__} {name.id[:40]}" if isinstance(name, ast.Name) else type(node).__name__


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "set": set,
    "frozenset": frozenset,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "sorted": sorted,
    "range": range,
    "float": float,
    "int": int,
    "bool": bool,
    "len": len,
    "abs": abs,
    "round": _round,
    "min": min,
    "max": max,
    "sum": _sum,
}
_METHODS: tuple[tuple[type[ast.expr], Callable[[Evaluator, Any, int], Any]], ...] = (
    (ast.Constant, Evaluator.constant),
    (ast.List, lambda self, node, depth: self.values(node.elts, depth)),
    (ast.Tuple, lambda self, node, depth: tuple(self.values(node.elts, depth))),
    (ast.Set, lambda self, node, depth: set(self.values(node.elts, depth))),
    (ast.Dict, Evaluator.mapping),
    (ast.UnaryOp, Evaluator.unary),
    (ast.BinOp, Evaluator.binary),
    (ast.Call, Evaluator.call),
    (ast.Name, Evaluator.name),
)
