"""Problems become tasks whose statement, cases and oracle agree, or are refused with a reason; nothing is executed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasklake.sandbox_exec.checkers import checker
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.verdict import Verdict
from tasklake.udfs.reformulate import oracle_program, reformulate
from tasklake.udfs.rephrase import rephrased

KEYS = {"problem_id", "statement", "input_format", "output_format", "grammar", "entry_point", "checker", "cases",
        "reason", "detail"}  # fmt: skip


def problem(*tests: str, setup: str = "", program: str = "", **more: Any) -> dict[str, Any]:
    solutions = [{"language": "python", "program": program}]
    given = {"problem_id": "p1", "style": "asserts", "statement": "Write a python function to do it.", "setup": setup}
    return {**given, "tests": list(tests), "cases": [], "solutions": solutions, **more}


def answers(row: dict[str, Any], task: dict[str, Any]) -> list[str]:
    """What the row's own solution, adapted, prints for the task's cases."""
    program = oracle_program(row, task["grammar"], task["entry_point"], row["solutions"][0])
    return [
        subprocess.run(
            [sys.executable, "-I", "-c", program],
            input=case["input"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for case in task["cases"]
    ]


def test_asserts_become_cases_in_plain_text() -> None:
    row = problem("assert add([1, 2], -3) == [4]", "assert [5] == add([], 0)", program="def add(prices, k):\n    pass")
    task = reformulate(row)
    assert set(task) == KEYS
    assert (task["problem_id"], task["reason"], task["entry_point"], task["checker"]) == ("p1", None, "add", "lines")
    assert task["cases"] == [{"input": "2\n1 2\n-3\n", "output": "1\n4\n"}, {"input": "0\n\n0\n", "output": "1\n5\n"}]
    assert "(prices)" in task["input_format"]
    assert "(k)" in task["input_format"]


@pytest.mark.parametrize(
    ("test", "output"),
    [
        ("assert f(1) is True", "true\n"),
        ("assert f(1)", "true\n"),
        ("assert not f(1)", "false\n"),
        ("assert (f(1)) == 'x', 'message'", "x\n"),
        ("assert f(1) == None", "none\n"),
        ("assert set(f(1)) == set([3, 1, 1])", "2\n1 3\n"),
        ("assert sorted(f(1)) == sorted((2, 1))", "2\n1 2\n"),
        ("assert math.isclose(f(1), 1/3, rel_tol=0.001)", "0.3333\n"),
        ("assert abs(f(1) - 2) < 1e-6", "2.0000\n"),
        ("assert round(f(1), 2) == 0.25", "0.25\n"),
        ("assert int(f(1)) == 35", "35\n"),
        ("assert f(k=1) == -2 ** 3", "-8\n"),
        ("assert f(1) == '[(1, 2), (3, 4)]'", "2\n1 2\n3 4\n"),
    ],
)
def test_every_form_of_assert_gives_its_output(test: str, output: str) -> None:
    task = reformulate(problem(test))
    assert task["reason"] is None, task["detail"]
    assert [case["output"] for case in task["cases"]] == [output]


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ([], "no_tests"),
        ([""], "not_an_assert"),
        (["print(f(1))"], "not_an_assert"),
        (["assert f(1) =="], "not_an_assert"),
        (["assert f(1) != 2"], "not_an_equality"),
        (["assert f(1) > 2"], "not_an_equality"),
        (["assert not f(1) == 2"], "not_an_equality"),
        (["assert f(open('x')) == 2"], "argument_not_literal"),
        (["assert f(root) == 2"], "argument_not_literal"),
        (["assert f(*[1]) == 2"], "argument_not_literal"),
        (["assert f(**{'a': 1}) == 2"], "argument_not_literal"),
        (["assert f([1][2]) == 2"], "argument_not_literal"),
        (["assert f(1/0) == 2"], "argument_not_literal"),
        (["assert f(1) == g(2)"], "expected_not_literal"),
        (["assert Solution().f(1) == 2"], "not_a_function_call"),
        (["assert x == 2"], "not_a_function_call"),
        (["assert f(1) == 2", "assert g(1) == 2"], "several_functions"),
        (["assert f(1) == 2", "assert f(1, 2) == 2"], "arguments_differ"),
        (["assert f() == 2"], "no_arguments"),
        (["assert f(1) == 2", "assert sorted(f(2)) == [2]"], "mixed_forms"),
        (["assert f(1) == 2", "assert f(1) == 3"], "contradictory_cases"),
        (["assert f(1) == ''"], "empty_output"),
        (["assert f(1j) == 2"], "unsupported_type"),
        (["assert f(float('inf')) == 2"], "not_finite"),
        (["assert f(1e999) == 2"], "not_finite"),
    ],
)
def test_what_cannot_become_a_task_is_counted_under_its_reason(tests: list[str], reason: str) -> None:
    task = reformulate(problem(*tests))
    assert (task["reason"], set(task), task["cases"]) == (reason, KEYS, [])
    assert task["detail"].endswith(".")


def test_the_tolerance_of_the_tests_is_kept() -> None:
    for test in ("assert math.isclose(f(1), 2.5, rel_tol=0.001)", "assert abs(2.5 - f(1)) < 0.001"):
        task = reformulate(problem(test))
        assert (task["checker"], json.loads(task["grammar"])["tolerance"]) == ("tokens:0.001", 0.001)
        assert checker(task["checker"])(b"2.5000\n", b"2.5009\n") is Verdict.accepted
        assert checker(task["checker"])(b"2.5000\n", b"2.5100\n") is Verdict.wrong_answer
    assert reformulate(problem("assert f(1) == 2.5"))["checker"] == "tokens:0.0001"
    assert reformulate(problem("assert math.isclose(f(1), 2.5, rel_tol=0.9)"))["reason"] == "not_an_equality"


def test_equal_tests_are_one_case_and_joined_claims_are_two() -> None:
    assert len(reformulate(problem("assert f(1) == 2", "assert f( 1 )==2"))["cases"]) == 1
    assert len(reformulate(problem("assert f(1) == 2 and f(2) == 3"))["cases"]) == 2


def test_constants_of_the_setup_are_known_unless_something_may_have_changed_them() -> None:
    assert reformulate(problem("assert f(X) == 2", setup="import re\nX = [1, 2]"))["cases"][0]["input"] == "2\n1 2\n"
    changed = reformulate(problem("assert f(X) == 2", setup="X = [1]\nX.append(2)"))
    assert changed["reason"] == "argument_not_literal"


def nested(opening: str, closing: str, depth: int) -> str:
    return opening * depth + "1" + closing * depth


@pytest.mark.parametrize(
    "argument",
    [
        nested("[", "]", 60),
        nested("[", "]", 50_000),
        nested("-", "", 90_000),
        nested("(", ")", 90_000),
        "+".join("1" * 20_000),
        "9" * 90_000,
        "0x" + "f" * 90_000,
        "10 ** 10 ** 10",
        "2 ** 100000000",
        "'a' * 10 ** 10",
        "'%1000000000d' % 1",
        "round(1, -10 ** 9)",
        "range(10 ** 12)",
        "{((((0,) * 4000,) * 4000,) * 4000,) * 4000}",
        "set(range(0, 10 ** 6 * (2 ** 61 - 1), 2 ** 61 - 1))",
        "sum([[1]] * 4000, [])",
        "[" + "0," * 49_000 + "]",
        "'\\ud800'",
        "'\x00'",
        "__import__('os').system('touch /tmp/executed')",
        "[x for x in (1).__class__.__bases__]",
        "(lambda: 1)()",
        "f'{1}'",
    ],
    ids=range(23),
)
def test_hostile_literals_end_as_a_reason_or_as_a_case(argument: str) -> None:
    task = reformulate(problem(f"assert f({argument}) == 1"))
    assert task["reason"] != "internal_error", task["detail"]
    assert bool(task["reason"]) != bool(task["cases"])


@settings(deadline=None, max_examples=200)
@given(st.text("assert f(1)=[2,'x]{}:.*-\\\n#and", max_size=40), st.text(max_size=30))
def test_no_text_makes_it_raise(test: str, statement: str) -> None:
    task = reformulate(problem(test, statement=statement))
    assert set(task) == KEYS
    assert task["reason"] != "internal_error", task["detail"]


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"style": "asserts"},
        {"style": "asserts", "tests": [None]},
        {"style": "stdio", "cases": [{}]},
        {"style": "stdio", "statement": "x", "cases": None},
    ],
)
def test_a_defective_row_is_answered(row: dict[str, Any]) -> None:
    task = reformulate(row)
    assert set(task) == KEYS
    assert task["reason"]


def test_stdio_problems_pass_through_with_one_kind_of_line_end() -> None:
    cases = [{"input": "1 2\r\n", "output": "3"}]
    row = {"problem_id": "c1", "style": "stdio", "statement": " Add.\r\n", "cases": cases}
    row |= {"input_format": "Two.", "output_format": "One."}
    task = reformulate(row)
    assert task["cases"] == [{"input": "1 2\n", "output": "3\n"}]
    assert (task["statement"], task["input_format"], task["output_format"]) == ("Add.", "Two.", "One.")
    assert oracle_program(row, task["grammar"], task["entry_point"], {"program": "print(3)"}) == "print(3)"


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        ([], "no_cases"),
        ([{"input": "1", "output": " \n"}], "empty_output"),
        ([{"input": "1", "output": "2"}, {"input": "1\r\n", "output": "3"}], "contradictory_cases"),
    ],
)
def test_useless_stdio_problems_are_refused(cases: list[dict[str, str]], reason: str) -> None:
    assert reformulate({"style": "stdio", "statement": "x", "cases": cases})["reason"] == reason


@pytest.mark.parametrize(
    ("program", "tests"),
    [
        ("def sum(len, list):\n    return len + list", ["assert sum(1, 2) == 3"]),
        ("print('noise')\ndef f(x):\n    print(x)\n    return x", ["assert f('a b') == 'a b'"]),
        (
            "from __future__ import annotations\r\ndef f(x):\r\n    return (i for i in x)",
            ["assert list(f([2, 1])) == [2, 1]"],
        ),
        ("def f(x):\n    return x\nif __name__ == '__main__':\n    print(f(int(input())))", ["assert f(7) == 7"]),
        ("from collections import Counter\ndef f(x):\n    return Counter(x)", ["assert f('bab') == {'a': 1, 'b': 2}"]),
        ("def f(x):\n    x.sort()\n    return x", ["assert f([2, 1]) == [1, 2]"]),
        ("def f(x):\n    return str([(x, x)])", ["assert f(1) == '[(1, 1)]'"]),
        (
            "def f(x):\n    return {x: [None, 2.0], 'k': (1, 2)}",
            ["assert f('a\\n') == {'k': (1, 2), 'a\\n': [None, 2]}"],
        ),
        ("def f(x, *, k):\n    return x == (1, 2) and k", ["assert f((1, 2), k=True) == True"]),
        ("def f(x):\n    return x / 3", ["assert math.isclose(f(1), 0.33333, rel_tol=1e-3)"]),
        ("class P:\n    v: int = 1\ndef f(x):\n    return P().v + x", ["assert f(1) == 2"]),
    ],
    ids=range(11),
)
def test_an_adapted_solution_reproduces_the_cases_of_its_own_asserts(program: str, tests: list[str]) -> None:
    row = problem(*tests, program=program)
    task = reformulate(row)
    assert task["reason"] is None, task["detail"]
    assert answers(row, task) == [case["output"] for case in task["cases"]]


def test_the_setup_runs_after_the_solution_and_before_the_call() -> None:
    row = problem(
        "assert f(1) == 6", program="def f(x):\n    return x + SHIFT", setup="SHIFT = f.__code__.co_argcount + 4"
    )
    assert answers(row, reformulate(row)) == ["6\n"]


def test_an_entry_point_that_is_no_name_is_never_written_into_a_program() -> None:
    row = problem("assert f(1) == 6")
    with pytest.raises(TasklakeError, match="no function name"):
        oracle_program(row, reformulate(row)["grammar"], "f(1); import os", {"program": ""})


def test_the_grammar_column_is_json_and_the_same_row_gives_the_same_answer() -> None:
    row = problem("assert f({3, 1, 2}, {'b': 1, 'a': 2}) == {'x', 'y'}")
    assert json.loads(reformulate(row)["grammar"])["version"] == 1
    assert reformulate(row) == reformulate(row)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Write a python function to find the tuples.", "Write a program to find the sequences."),
        ("Write a function that takes a dictionary and returns None",
         "Write a program that reads a map and prints none."),
        ("Write a function to sort a list by using lambda function.", "Write a program to sort a list."),
        ("Use `my_f(x)` to count.", "Solve the following for the input described below: Use the program to count."),
    ],
)  # fmt: skip
def test_a_statement_asks_for_a_program_and_names_no_type(before: str, after: str) -> None:
    assert rephrased(before, "my_f") == after


@pytest.mark.parametrize(
    "hostile", ["python " * 25_000, " " * 190_000 + ".", "write a " * 20_000, "the " * 40_000, "f(" * 90_000]
)
def test_a_hostile_statement_does_not_hang(hostile: str) -> None:
    assert reformulate(problem("assert f_1(1) == 2", statement="x" + hostile))["reason"] is None


def test_nothing_of_a_test_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    reformulate(
        problem(f"assert f(__import__('pathlib').Path({str(mark)!r}).touch()) == 1", setup=f"open({str(mark)!r}, 'w')")
    )
    assert not mark.exists()
