"""A problem becomes a language-agnostic stdin/stdout task, or gets the reason why it cannot."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasklake.udfs.grammar import (
    Call,
    Grammar,
    NotInGrammar,
    Refused,
    adapted,
    explain_input,
    explain_output,
    inferred,
    observed_calls,
    without_literals,
)
from tasklake.udfs.rephrase import rephrased

REFORMULATOR_VERSION = "2"  # part of what a task is known by: raise it whenever any answer of this module changes
MAX_STATEMENT = 200_000  # characters; the longest contest statements stay below 20,000
MAX_NAME = 40  # characters of a parameter's name that a person still reads
LEAST_TOLERANCE = 1e-4  # outputs are written with four decimals: the last of them may be rounded either way

# A name with one of these parts tells a type of one language instead of a meaning.
_TYPE_WORDS = re.compile(
    r"(?:^|_)(?:tup|tuple|dict|dic|list|lst|lis|li|set|str|int|float|bool)s?[0-9]*(?:_|$)", re.IGNORECASE
)
_HEADER = re.compile(r"^[ \t]*def[ \t]{1,9}(\w+)[ \t]{0,9}\(([^()]{1,400})\)", re.MULTILINE)


def reformulate(problem: Mapping[str, Any]) -> dict[str, Any]:
    """The task of the problem, or the reason why there is none; one row in, one row out, whatever the row holds."""
    answer: dict[str, Any] = {
        "problem_id": problem.get("problem_id"),
        "statement": "",
        "input_format": "",
        "output_format": "",
        "grammar": "",
        "entry_point": "",
        "checker": "lines",
        "cases": [],
        "reason": None,
        "detail": "",
    }
    try:
        style = problem.get("style")
        if style == "asserts":
            return answer | _from_asserts(problem)
        if style == "stdio":
            return answer | _from_stdio(problem)
        raise Refused("unknown_style", f"The style is {str(style)[:40]!r}, neither asserts nor stdio.")
    except Refused as refusal:
        return answer | {"reason": refusal.code, "detail": refusal.detail}
    except Exception as error:  # noqa: BLE001  one row's defect must not end the batch: it becomes the row's reason
        return answer | {"reason": "internal_error", "detail": f"{type(error).__name__}: {str(error)[:200]}"}


def oracle_program(problem: Mapping[str, Any], grammar: str, entry_point: str, solution: Mapping[str, Any]) -> str:
    """The solution as a program for the task's cases: adapted by the grammar, or itself where there is none."""
    program = str(solution.get("program") or "")
    if problem.get("style") != "asserts":
        return program
    return adapted(program, str(problem.get("setup") or ""), Grammar.from_json(grammar), entry_point)


def _from_asserts(problem: Mapping[str, Any]) -> dict[str, Any]:
    tests = [str(test) for test in problem.get("tests") or []]
    calls = without_literals(observed_calls(tests, str(problem.get("setup") or "")))
    try:
        grammar = inferred(calls)
        cases = _distinct([_case(call, grammar) for call in calls])
    except NotInGrammar as error:
        raise Refused("not_injective", f"A value has no unambiguous text: {error}.") from error
    _useful(cases)
    function = calls[0].function
    return {
        "statement": rephrased(_statement(problem), function),
        "input_format": explain_input(grammar.spec, _names(problem, calls[0])),
        "output_format": explain_output(grammar.spec),
        "grammar": grammar.to_json(),
        "entry_point": function,
        "checker": _checker(grammar),
        "cases": cases,
    }


def _from_stdio(problem: Mapping[str, Any]) -> dict[str, Any]:
    given = problem.get("cases") or []
    if not given:
        raise Refused("no_cases", "The problem has no cases.")
    cases = _distinct([{"input": _normal(case.get("input")), "output": _normal(case.get("output"))} for case in given])
    _useful(cases)
    return {
        "statement": _statement(problem),
        "input_format": str(problem.get("input_format") or ""),
        "output_format": str(problem.get("output_format") or ""),
        "cases": cases,
    }


def _statement(problem: Mapping[str, Any]) -> str:
    statement = str(problem.get("statement") or "").replace("\r\n", "\n").strip()
    if not statement:
        raise Refused("no_statement", "The problem has no statement.")
    if len(statement) > MAX_STATEMENT:
        raise Refused("too_large", f"The statement has more than {MAX_STATEMENT} characters.")
    return statement


def _case(call: Call, grammar: Grammar) -> dict[str, str]:
    """The case of an observed call, read back to prove that its text stands for these very values."""
    given = grammar.encode_input(call.positional, dict(call.keywords))
    grammar.decode_input(given)
    expected = grammar.encode_output(call.expected)
    grammar.decode_output(expected)
    return {"input": given, "output": expected}


def _distinct(cases: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    outputs: dict[str, str] = {}
    for case in cases:
        if outputs.setdefault(case["input"], case["output"]) != case["output"]:
            raise Refused("contradictory_cases", "The same input is given with two different outputs.")
    return [{"input": given, "output": expected} for given, expected in outputs.items()]


def _useful(cases: Sequence[dict[str, str]]) -> None:
    if not any(case["output"].strip() for case in cases):
        raise Refused("empty_output", "Every expected output is empty: an empty program would pass.")


def _normal(text: Any) -> str:
    """The text with line feeds alone as line ends, and one at its end."""
    lines = str(text or "").replace("\r\n", "\n").replace("\r", "\n")
    return lines if not lines or lines.endswith("\n") else f"{lines}\n"


def _names(problem: Mapping[str, Any], call: Call) -> list[str | None]:
    """What a solution calls the arguments, where that tells a contestant what they mean."""
    count = len(call.positional)
    keywords: list[str | None] = [_telling(name) for name, _ in call.keywords]
    for solution in problem.get("solutions") or []:
        for header in _HEADER.finditer(str(solution.get("program") or "")):
            names = [name.partition("=")[0].partition(":")[0].strip() for name in header[2].split(",")]
            if header[1] == call.function and len(names) >= count and all(name.isidentifier() for name in names):
                return [_telling(name) for name in names[:count]] + keywords
    return [None] * count + keywords


def _telling(name: str) -> str | None:
    return None if _TYPE_WORDS.search(name) or len(name) > MAX_NAME else name


def _checker(grammar: Grammar) -> str:
    """What compares outputs: words with the tolerance of the tests where a decimal number is written, else lines."""
    if not _has_float(grammar.spec["result"]):
        return "lines"
    return f"tokens:{max(LEAST_TOLERANCE, float(grammar.spec['tolerance']))!r}"


def _has_float(node: Any) -> bool:
    if isinstance(node, Mapping):
        return node.get("t") in ("float", "number") or any(_has_float(part) for part in node.values())
    return isinstance(node, list) and any(_has_float(part) for part in node)
