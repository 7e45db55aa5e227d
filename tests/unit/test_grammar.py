"""The grammar writes every value in one way, reads it back, and explains itself without the words of one language."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.udfs.grammar import Call, Grammar, NotInGrammar, Refused, explain_input, explain_output, inferred
from tasklake.udfs.grammar.adapter import codec_source
from tasklake.udfs.grammar.canon import canonical
from tasklake.udfs.grammar.infer import MAX_DEPTH, Place, infer
from tasklake.udfs.grammar.nodes import looks_other, one_token, plain, shape
from tasklake.udfs.grammar.reading import decode
from tasklake.udfs.grammar.writing import encode

relaxed = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["", " ", "a b", "none", "true", "-1", "3.5", "|", "\\n", "a\nb", "\t", "\x85", "\u2028", "\u00a0x", "\\u{a}"]
)
TEXTS = {
    "token": TEXT.filter(one_token),
    "line": TEXT.filter(plain),
    "barred": TEXT.filter(lambda text: plain(f"|{text}|")),
    "escaped": TEXT,
}
TOKENS: list[dict[str, Any]] = [
    {"t": "int"},
    {"t": "bool"},
    {"t": "float", "d": 4},
    {"t": "number", "d": 2},
    {"t": "text", "form": "token"},
]


def untagged(members: list[dict[str, Any]]) -> dict[str, Any]:
    return {"t": "union", "of": members, "tagged": False}


def scalars() -> st.SearchStrategy[dict[str, Any]]:
    mixes = st.lists(st.sampled_from([{"t": "none"}, {"t": "bool"}, TOKENS[2], TOKENS[4]]), min_size=2, unique_by=str)
    return st.sampled_from(TOKENS) | mixes.map(
        lambda members: untagged(sorted(members, key=lambda m: m["t"] == "text"))
    )


def grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Nodes around other nodes, laid out as their parts allow."""
    return st.one_of(
        st.builds(laid_out_list, inner, st.sampled_from(["list", "tuple"]), st.booleans()),
        st.builds(laid_out_list, scalars(), st.sampled_from(["set", "frozenset"]), st.booleans()),
        st.builds(laid_out_record, st.lists(inner, min_size=1, max_size=3)),
        st.builds(laid_out_dict, scalars(), inner, st.sampled_from(["given", "sorted"])),
        st.builds(lambda of: {"t": "grid", "of": of, "py": ["list", "tuple"]}, scalars()),
        st.builds(lambda of: {"t": "union", "of": [{"t": "none"}, {"t": "text", "form": "line"}, of], "tagged": True},
                  st.builds(laid_out_list, inner, st.just("list"), st.booleans())),
    )  # fmt: skip


def laid_out_list(of: dict[str, Any], py: str, row: bool) -> dict[str, Any]:
    layout = "items" if shape(of) != "token" else "row" if row else "pair"
    return {"t": "list", "of": of, "py": py, "layout": layout}


def laid_out_record(fields: list[dict[str, Any]]) -> dict[str, Any]:
    row = all(shape(field) == "token" for field in fields)
    return {"t": "record", "fields": fields, "py": "tuple", "layout": "row" if row else "items"}


def laid_out_dict(key: dict[str, Any], value: dict[str, Any], order: str) -> dict[str, Any]:
    layout = "row" if shape(value) == "token" else "items"
    return {"t": "dict", "key": key, "value": value, "order": order, "layout": layout}


def values(node: dict[str, Any], no_lookalike: bool = False) -> st.SearchStrategy[Any]:
    """Any value that may stand where the node is."""
    kind = node["t"]
    if kind == "text":
        return TEXTS[node["form"]].filter(lambda text: not (no_lookalike and looks_other(text)))
    if kind == "list":
        items = values(node["of"])
        return st.sets(items, max_size=4) if node["py"] in ("set", "frozenset") else st.lists(items, max_size=4)
    if kind == "grid":
        cell = values(node["of"])
        return st.integers(1, 3).flatmap(lambda n: st.lists(st.lists(cell, min_size=n, max_size=n), max_size=3))
    if kind == "record":
        return st.tuples(*(values(field) for field in node["fields"]))
    if kind == "dict":
        return st.dictionaries(values(node["key"]), values(node["value"]), max_size=3)
    if kind == "union":
        return st.one_of([values(member, not node["tagged"]) for member in node["of"]])
    decimals = st.floats(-1e9, 1e9)
    return {"int": st.integers(), "bool": st.booleans(), "none": st.none(), "float": decimals,
            "number": decimals | st.integers(-(10**9), 10**9)}[kind]  # fmt: skip


NODES = st.one_of(scalars(), st.sampled_from(sorted(TEXTS)).map(lambda form: {"t": "text", "form": form}))
GRAMMARS = st.recursive(NODES, grown, max_leaves=6)


@relaxed
@given(st.data())
def test_what_is_written_reads_back_as_the_same_value(data: st.DataObject) -> None:
    node = data.draw(GRAMMARS)
    value = data.draw(values(node))
    try:
        chosen = canonical(value, node)
    except NotInGrammar:
        return  # two keys of a dict that round to the same decimals
    lines = encode(chosen, node)
    assert all("\n" not in line for line in lines)
    rest = iter(lines)
    assert decode(rest, node) == chosen
    assert next(rest, None) is None


@relaxed
@given(st.data())
def test_two_different_values_are_never_written_alike(data: st.DataObject) -> None:
    node = data.draw(GRAMMARS)
    try:
        one, other = (canonical(data.draw(values(node)), node) for _ in range(2))
    except NotInGrammar:
        return
    assert (encode(one, node) == encode(other, node)) <= (one == other)


LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e6, 1e6).map(lambda x: round(x, 3)) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.integers() | TEXT, inner, max_size=3)
        | st.sets(st.integers() | TEXT, max_size=3)
    ),
    max_leaves=8,
)


def calls_of(values: list[Any], results: list[Any]) -> list[Call]:
    return [Call("f", (value,), (), [], result) for value, result in zip(values, results, strict=True)]


@relaxed
@given(st.lists(st.tuples(LITERALS, LITERALS), min_size=1, max_size=4))
def test_any_literals_get_a_grammar_that_reads_back_what_it_writes_or_a_reason(seen: list[tuple[Any, Any]]) -> None:
    calls = calls_of([given for given, _ in seen], [result for _, result in seen])
    try:
        grammar = inferred(calls)
        again = Grammar.from_json(grammar.to_json())
        for given_value, result in seen:
            text = grammar.encode_input([given_value], {})
            read, _ = again.decode_input(text)
            assert read == [canonical(given_value, grammar.spec["arguments"][0]["node"])]
            assert again.decode_output(grammar.encode_output(result)) == canonical(result, grammar.spec["result"])
    except Refused:
        return
    words = explain_input(grammar.spec, [None]) + explain_output(grammar.spec)
    assert not re.search(r"\b(None|True|False|tuple|dict|str|int|float|frozenset)\b|[\[\]'\"]", words)


@relaxed
@given(st.lists(LITERALS, min_size=1, max_size=3), st.text("0123456789 -.|abtruenolis\n", max_size=30))
def test_a_text_is_read_only_when_it_is_exactly_what_the_encoder_writes(seen: list[Any], text: str) -> None:
    try:
        grammar = inferred(calls_of(seen, seen))
        positional, keywords = grammar.decode_input(text)
    except (Refused, NotInGrammar):
        return
    assert grammar.encode_input(positional, keywords) == text


@relaxed
@given(st.lists(LITERALS, min_size=1, max_size=3))
def test_the_oracles_codec_is_the_packages_codec(seen: list[Any]) -> None:
    space: dict[str, Any] = {"__name__": "codec"}
    exec(codec_source(), space)
    try:
        grammar = inferred(calls_of(seen, seen))
        texts = [(grammar.encode_input([value], {}), value, grammar.encode_output(value)) for value in seen]
    except (Refused, NotInGrammar):
        return
    spec = json.loads(grammar.to_json())
    for text, value, output in texts:
        assert space["read_arguments"](text, spec)[0] == grammar.decode_input(text)[0]
        assert space["write_result"](value, spec) == output


def text_of(*seen: Any, output: bool = False) -> list[str]:
    node = infer(list(seen), Place(output, len(seen)))
    return ["\n".join(encode(canonical(value, node), node)) for value in seen]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (-0.0, "0.0"),
        ([], "0\n"),
        ([1, 2, 3], "3\n1 2 3"),
        ([[1, 2], [3, 4]], "2 2\n1 2\n3 4"),
        ([[1], [2, 3], []], "3\n1 1\n2 2 3\n0"),
        (["a", "b c"], "2\na\nb c"),
        ([" a", "b"], "2\n| a|\n|b|"),
        ("a\nb\\", "|a\\nb\\\\|"),
        ([("Ann", 90), ("Bob", 7)], "2\nAnn 90\nBob 7"),
        ([1, "red", True, None], "4\n1 red true none"),
        ([1, "2"], "2\nnumber 1\ntext 2"),
        ([1, [2, 3]], "2\nnumber 1\nlist 2 2 3"),
        ({"b": 1, "a": [2]}, "2\nb\nnumber 1\na\nlist 1 2"),
        ({3, 1, 2}, "3\n1 2 3"),
        ([0.5, 10], "2\n0.5 10"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000.0"),
    ],
)
def test_values_are_written_as_a_contestant_expects_them(value: Any, text: str) -> None:
    assert text_of(value) == [text]


def test_results_have_four_decimals_one_zero_and_sorted_pairs() -> None:
    assert text_of(1 / 3, 2, -5e-17, output=True) == ["0.3333", "2.0000", "0.0000"]
    assert text_of(0.00012347, output=True) == ["0.0001235"]
    assert text_of({"b": 1, "a": 2}, output=True) == ["2\na 2\nb 1"]


def test_equal_results_of_another_type_are_written_alike() -> None:
    cases = [([1, 2], (n for n in (1.0, 2))), ({1: 2}, {True: 2.0}), ({1, 2}, {1: 0, 2: 0}.keys()), (1, True)]
    for expected, result in cases:
        node = infer([expected], Place(True, 1))
        assert encode(canonical(result, node), node) == encode(canonical(expected, node), node)


@pytest.mark.parametrize(
    ("expected", "result"),
    [(1, "1"), ("1", 1), ([1], "1"), (True, 2), (None, 0), ({1: 2}, [(1, 2)]), (1.5, float("nan"))],
)
def test_results_of_a_wrong_kind_are_refused(expected: Any, result: Any) -> None:
    with pytest.raises(NotInGrammar):
        canonical(result, infer([expected], Place(True, 1)))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("inf"), "not_finite"),
        (float("nan"), "not_finite"),
        (1j, "unsupported_type"),
        (b"x", "unsupported_type"),
        ("\ud800", "unwritable_text"),
        ([10**5000], "number_too_large"),
        ([2**60 + 1, 0.5], "not_injective"),
        (1e-300, "float_range"),
    ],
)
def test_what_has_no_unambiguous_text_is_refused_with_its_reason(value: Any, code: str) -> None:
    with pytest.raises(Refused) as caught:
        infer([value], Place(False, 1))
    assert caught.value.code == code


def test_too_deep_a_structure_is_refused() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH + 3):
        value = [value, [value]]
    with pytest.raises(Refused, match="too_deep"):
        infer([value], Place(False, 1))


def test_the_explanation_of_a_nested_type_is_complete() -> None:
    grammar = inferred([Call("f", ([("Ann", 1.5), ("Bob", 2.0)], 3), (), [], {"a": [1, 2]})])
    assert explain_input(grammar.spec, ["people", None]).splitlines() == [
        "The input consists of 2 values, one after the other, each starting on a new line:",
        "1. A list (people): a line with the number of its items; then the items, each as follows:",
        "   - one line: 2 values separated by single blanks: a word without blanks, a decimal number with exactly "
        "1 decimal.",
        "2. One line: an integer.",
    ]
    assert explain_output(grammar.spec) == (
        "Print pairs of a key and a value: a line with the number of pairs; then the pairs, by key in ascending order "
        "(texts by character code), one per line: the key (a word without blanks), a blank, the value (a count k and "
        "then k items, all separated by single blanks; the items are integers)."
    )


def test_a_grammar_of_another_version_is_not_guessed_at() -> None:
    with pytest.raises(TasklakeError, match="version 99"):
        Grammar.from_json('{"version": 99}')
