"""One grammar per problem: the types of the arguments and of the result, agreed over all its tests."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.udfs.grammar.asserts import ERRORS, Call, Wrap
from tasklake.udfs.grammar.canon import canonical
from tasklake.udfs.grammar.infer import Place, infer
from tasklake.udfs.grammar.literals import Evaluator
from tasklake.udfs.grammar.nodes import NotInGrammar
from tasklake.udfs.grammar.reading import read_arguments, read_result
from tasklake.udfs.grammar.refusal import Refused
from tasklake.udfs.grammar.writing import encode, write_result

VERSION = 1  # of the JSON form; a reader of another version must not guess


@dataclass(frozen=True)
class Grammar:
    """How the input and the output of a task are written. `spec` is plain JSON and the whole truth.

    Its "tolerance" is how far the tests let decimal numbers be off, relative or absolute; 0 where they demand equality.
    """

    spec: Mapping[str, Any]

    def to_json(self) -> str:
        """The grammar as one line of JSON, equal for equal grammars."""
        return json.dumps(self.spec, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Grammar:
        """The grammar that the JSON holds."""
        spec = json.loads(text)
        if spec.get("version") != VERSION:
            raise TasklakeError(
                f"grammar of version {spec.get('version')}, not {VERSION}: reformulate the problem again"
            )
        return cls(spec)

    def encode_input(self, positional: Sequence[Any], keywords: Mapping[str, Any]) -> str:
        """The text of a case's input."""
        given = iter(positional)
        lines: list[str] = []
        for argument in self.spec["arguments"]:
            value = next(given) if argument["keyword"] is None else keywords[argument["keyword"]]
            lines += encode(canonical(value, argument["node"]), argument["node"])
        return "".join(f"{line}\n" for line in lines)

    def decode_input(self, text: str) -> tuple[list[Any], dict[str, Any]]:
        """The arguments that the text stands for; NotInGrammar unless it is exactly what the encoder writes."""
        positional, keywords = read_arguments(text, self.spec)
        if self.encode_input(positional, keywords) != text:
            raise NotInGrammar("the text reads well but is not in its one agreed form")
        return positional, keywords

    def encode_output(self, result: Any) -> str:
        """The text of a case's output, from what the tests expect."""
        return write_result(result, {**self.spec, "wrap": []})

    def decode_output(self, text: str) -> Any:
        """The result that the text stands for; NotInGrammar unless it is exactly what the encoder writes."""
        result = read_result(text, self.spec)
        if self.encode_output(result) != text:
            raise NotInGrammar("the text reads well but is not in its one agreed form")
        return result


def without_literals(calls: Sequence[Call]) -> list[Call]:
    """The calls, whose results, where all are texts that spell Python containers, are these containers."""
    if not all(isinstance(call.expected, str) and call.expected[:1] in ("[", "(", "{") for call in calls):
        return list(calls)
    evaluator = Evaluator()
    try:
        values = [evaluator.value(ast.parse(call.expected, mode="eval").body) for call in calls]
    except (Refused, *ERRORS, SyntaxError):
        return list(calls)
    if not all(isinstance(value, (list, tuple, set, dict)) for value in values):
        return list(calls)
    return [
        replace(call, expected=value, wrap=[*call.wrap, ["spelled"]]) for call, value in zip(calls, values, strict=True)
    ]


def inferred(calls: Sequence[Call]) -> Grammar:
    """The grammar of the observed calls; Refused when they do not agree on one."""
    first = calls[0]
    if len({call.function for call in calls}) > 1:
        raise Refused("several_functions", "The tests call different functions.")
    if len({(len(call.positional), tuple(name for name, _ in call.keywords)) for call in calls}) > 1:
        raise Refused("arguments_differ", "The tests call the function with different numbers of arguments.")
    if not first.positional and not first.keywords:
        raise Refused("no_arguments", "The tests pass no arguments: there would be no input.")
    arguments: list[dict[str, Any]] = [
        {"keyword": None, "node": infer([call.positional[index] for call in calls], Place(False, len(calls)))}
        for index in range(len(first.positional))
    ]
    arguments += [
        {"keyword": name, "node": infer([call.keywords[index][1] for call in calls], Place(False, len(calls)))}
        for index, (name, _) in enumerate(first.keywords)
    ]
    result = infer([call.expected for call in calls], Place(True, len(calls)))
    wrap = _agreed_wrap(calls, result)
    tolerance = max(call.tolerance for call in calls)
    return Grammar({"version": VERSION, "arguments": arguments, "wrap": wrap, "result": result, "tolerance": tolerance})


def _agreed_wrap(calls: Sequence[Call], result: dict[str, Any]) -> Wrap:
    """The conversions that all tests apply; where every result is a truth value, a bare claim is like `== True`."""
    wraps = [call.wrap for call in calls]
    if result == {"t": "bool"}:
        wraps = [wrap for wrap in wraps if wrap]
        return wraps[0] if wraps and all(wrap == wraps[0] for wrap in wraps) else _differ() if wraps else []
    if any(wrap != wraps[0] for wrap in wraps):
        return _differ()
    if wraps[0] and wraps[0][-1][0] == "round" and len(wraps[0][-1]) == 2 and result["t"] == "float":
        result["d"] = wraps[0][-1][1] or 1
    return wraps[0]


def _differ() -> Wrap:
    raise Refused("mixed_forms", "The tests compare the result in different ways.")
