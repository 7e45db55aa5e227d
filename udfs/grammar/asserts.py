"""The tests of a problem, Python asserts, become observed calls: these arguments gave this result."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tasklake.udfs.grammar.literals import Evaluator
from tasklake.udfs.grammar.refusal import Refused

MAX_TEST = 100_000  # characters of one test; the largest of MBPP has 2,000
MAX_TESTS = 2_000_000  # characters of all tests of a problem; HumanEval+ stays below 1 MB
MAX_TOLERANCE = 0.1  # a coarser test would accept a wrong formula
WRAPPERS = ("set", "frozenset", "sorted", "list", "tuple", "dict", "int", "float", "bool", "round", "abs")
CLOSE = ("isclose", "math.isclose", "cmath.isclose", "np.isclose", "numpy.isclose")
ERRORS = (
    ArithmeticError,
    TypeError,
    ValueError,
    RecursionError,
    MemoryError,
)  # what evaluating hostile literals raises

Wrap = list[list[Any]]


@dataclass(frozen=True)
class Call:
    """One observed call. `wrap` lists, innermost first, what the test applies to the result before it compares.

    `tolerance` is how far from the expected value the test lets a result be, relative or absolute, else 0.
    """

    function: str
    positional: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...]
    wrap: Wrap
    expected: Any
    tolerance: float = 0.0


def observed_calls(tests: Sequence[str], setup: str) -> list[Call]:
    """The calls that the tests observe; Refused when one of them is not an equality of a call and a literal."""
    if not tests:
        raise Refused("no_tests", "The problem has no tests.")
    if sum(map(len, tests)) > MAX_TESTS or max(map(len, [setup, *tests])) > MAX_TEST:
        raise Refused("too_large", f"A test has more than {MAX_TEST} characters, or all have more than {MAX_TESTS}.")
    evaluator = Evaluator()
    _assign(setup, evaluator)
    return [_call(claim, evaluator) for test in tests for claim in _claims(test)]


def parsed(source: str, code: str) -> ast.Module:
    """The syntax tree of the source; hostile text is refused with the code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown escape in a test is not our user's warning
            return ast.parse(source.replace("\r\n", "\n"))
    except (SyntaxError, *ERRORS) as error:
        raise Refused(code, f"The text is not Python: {str(error)[:100]}.") from error


def _claims(test: str) -> list[ast.expr]:
    claims: list[ast.expr] = []
    for statement in parsed(test.strip(), "not_an_assert").body:
        if not isinstance(statement, ast.Assert):
            raise Refused("not_an_assert", f"A test holds a statement that is no assert: {type(statement).__name__}.")
        pending = [statement.test]
        while pending:
            claim = pending.pop(0)
            if isinstance(claim, ast.BoolOp) and isinstance(claim.op, ast.And):
                pending = claim.values + pending
            else:
                claims.append(claim)
    if not claims:
        raise Refused("not_an_assert", "A test is empty.")
    return claims


def _assign(setup: str, evaluator: Evaluator) -> None:
    """The evaluator knows what the setup assigns to names, when it does nothing but assign, import and define."""
    if not setup.strip():
        return
    for statement in parsed(setup, "setup_not_python").body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name):
                evaluator.names.pop(target.id, None)
                try:
                    evaluator.names[target.id] = evaluator.value(statement.value)
                except (Refused, *ERRORS):
                    continue  # a test that needs this name is refused when it is met
                continue
        if not isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
            evaluator.names.clear()  # any other statement may change the constants
            return


def _call(claim: ast.expr, evaluator: Evaluator) -> Call:
    try:
        return _observed(claim, evaluator)
    except ERRORS as error:
        raise Refused("argument_not_literal", f"A literal of a test has no value: {str(error)[:100]}.") from error


def _observed(claim: ast.expr, evaluator: Evaluator) -> Call:
    if isinstance(claim, ast.UnaryOp) and isinstance(claim.op, ast.Not):
        return _truth(claim.operand, False, evaluator)
    if isinstance(claim, ast.Compare) and len(claim.ops) == 1:
        return _comparison(claim, evaluator)
    if isinstance(claim, ast.Call) and _dotted(claim.func) in CLOSE and len(claim.args) >= 2:
        allowed = [*claim.args[2:], *(keyword.value for keyword in claim.keywords)]
        return _near(_equality(claim.args[0], claim.args[1], evaluator), allowed, evaluator)
    return _truth(claim, True, evaluator)


def _comparison(claim: ast.Compare, evaluator: Evaluator) -> Call:
    left, right, kind = claim.left, claim.comparators[0], claim.ops[0]
    distance = _distance(left)
    if isinstance(kind, (ast.Lt, ast.LtE)) and distance is not None:
        return _near(_equality(distance.left, distance.right, evaluator), [right], evaluator)
    if not isinstance(kind, (ast.Eq, ast.Is)):
        raise Refused("not_an_equality", f"A test compares with {type(kind).__name__}, which does not fix the result.")
    return _equality(left, right, evaluator)


def _distance(node: ast.expr) -> ast.BinOp | None:
    """The difference inside abs(a - b)."""
    if not isinstance(node, ast.Call) or _dotted(node.func) not in ("abs", "fabs", "math.fabs") or len(node.args) != 1:
        return None
    inner = node.args[0]
    return inner if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub) else None


def _truth(node: ast.expr, truth: bool, evaluator: Evaluator) -> Call:
    """The claim that a result is true, or false."""
    if isinstance(node, ast.Compare):
        raise Refused("not_an_equality", "A test denies a comparison, which does not fix the result.")
    function, arguments, wrap = _unwrapped(node)
    return _made(function, arguments, [*wrap, ["bool"]], truth, evaluator)


def _equality(left: ast.expr, right: ast.expr, evaluator: Evaluator) -> Call:
    swapped = _literal(left, evaluator) and not _literal(right, evaluator)
    call, literal = (right, left) if swapped else (left, right)
    function, arguments, wrap = _unwrapped(call)
    try:
        expected = evaluator.value(literal)
    except Refused as refusal:
        code = "expected_not_literal" if refusal.code == "argument_not_literal" else refusal.code
        raise Refused(code, refusal.detail) from refusal
    return _made(function, arguments, wrap, expected, evaluator)


def _near(call: Call, allowed: Sequence[ast.expr], evaluator: Evaluator) -> Call:
    """The call, whose result is a decimal number that may be as far off as the largest of the allowed values."""
    tolerance = max((float(evaluator.value(node)) for node in allowed), default=0.0)
    if not 0.0 <= tolerance <= MAX_TOLERANCE:
        raise Refused("not_an_equality", f"A test allows an error of {tolerance}, which does not fix the result.")
    return replace(call, expected=float(call.expected), tolerance=tolerance)


def _literal(node: ast.expr, evaluator: Evaluator) -> bool:
    try:
        evaluator.value(node)
    except (Refused, *ERRORS):
        return False
    return True


def _unwrapped(node: ast.expr) -> tuple[str, ast.Call, Wrap]:
    """The innermost call, with the name of its function and the built-ins around it."""
    wrap: Wrap = []
    while isinstance(node, ast.Call):
        name = _dotted(node.func)
        if name in WRAPPERS and node.args and isinstance(node.args[0], ast.Call) and not node.keywords:
            wrap.insert(0, [name, *(_digits(argument) for argument in node.args[1:])])
            node = node.args[0]
            continue
        if "." in name or not name:
            raise Refused("not_a_function_call", "A test calls a method, not a function.")
        return name, node, wrap
    raise Refused("not_a_function_call", f"A test compares a {type(node).__name__}, not the result of a call.")


def _digits(node: ast.expr) -> int:
    if (
        isinstance(node, ast.Constant) and isinstance(node.value, int) and 0 <= node.value <= 12
    ):  # 12: MAX_OUTPUT_DECIMALS
        return int(node.value)
    raise Refused("not_an_equality", "A test converts the result with an argument that is no small number.")


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "" if not isinstance(node, ast.Attribute) else "."


def _made(function: str, call: ast.Call, wrap: Wrap, expected: Any, evaluator: Evaluator) -> Call:
    keywords = []
    for keyword in call.keywords:
        if keyword.arg is None:
            raise Refused("argument_not_literal", "A test passes unpacked arguments.")
        keywords.append((keyword.arg, evaluator.value(keyword.value)))
    positional = tuple(evaluator.value(argument) for argument in call.args)
    return Call(function, positional, tuple(sorted(keywords)), wrap, expected)
