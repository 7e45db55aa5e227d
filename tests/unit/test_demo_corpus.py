"""The demo corpus has the columns it claims, its good rows are right, and its flawed rows are flawed as listed."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
DEMO = TESTS.parent / "jobs" / "demo"
Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]


MBPP, CODEFORCES, COTS, ANSWERS = map(
    rows, ("mbpp.jsonl", "codeforces.jsonl", "codeforces_cots.jsonl", "answers.jsonl")
)

# What the verdict of each runnable answer must be: (source_id, language, sample) -> verdict.
EXPECTED: dict[tuple[str, str, int], str] = {
    (row["source_id"], row["language"], row["sample"]): row["verdict"]
    for row in json.loads((TESTS / "demo_expected_verdicts.json").read_text(encoding="utf-8"))
}

EXAMPLES = [{"input": str, "output": str}]
CONTEST = {
    "id": str,
    "aliases": [str],
    "contest_id": str,
    "contest_name": str,
    "contest_type": str,
    "contest_start": int,
    "contest_start_year": int,
    "index": str,
    "time_limit": float,
    "memory_limit": float,
    "title": str,
    "description": str,
    "input_format": (str, None),
    "output_format": (str, None),
    "examples": EXAMPLES,
    "interaction_format": (str, None),
    "note": (str, None),
    "editorial": (str, None),
}
COLUMNS: dict[str, dict[str, Any]] = {
    "mbpp.jsonl": {
        "task_id": int,
        "text": str,
        "code": str,
        "test_list": [str],
        "test_setup_code": str,
        "challenge_test_list": [str],
    },
    "codeforces.jsonl": CONTEST
    | {
        "rating": (int, None),
        "tags": [str],
        "testset_size": int,
        "official_tests": EXAMPLES,
        "official_tests_complete": bool,
        "input_mode": str,
        "generated_checker": None,
        "executable": bool,
        "generated_tests": int,
    },
    "codeforces_cots.jsonl": CONTEST
    | {
        "prompt": str,
        "generation": str,
        "finish_reason": str,
        "api_metadata": {
            "completion_tokens": int,
            "prompt_tokens": int,
            "prompt_tokens_details": None,
            "total_tokens": int,
        },
        "messages": [{"content": str, "role": str}],
    },
    "answers.jsonl": {"source": str, "source_id": str, "language": str, "sample": int, "model": str, "answer": str},
}

# The planted flaws, by task_id or id; README.md of the corpus says what each is.
WRONG, NON_LITERAL, RANDOM, CONTRADICTORY, ENDLESS, NO_CODE, DUPLICATE = 136, 137, 138, 139, 140, 141, 105
UNSUPPORTED = {"demo-4/A", "demo-4/B", "demo-4/C"}
WITHOUT_ORACLE = {"demo-4/D", "demo-4/E"}
# (id, which of its solutions, how many tests it fails)
WRONG_SOLUTION = ("demo-2/B", 1, 1)


def fits(value: Any, kind: Any) -> bool:
    """True when the value has the type, where lists, tuples and dicts describe lists, alternatives and objects."""
    if isinstance(kind, tuple):
        return any(fits(value, one) for one in kind)
    if isinstance(kind, list):
        return isinstance(value, list) and all(fits(item, kind[0]) for item in value)
    if isinstance(kind, dict):
        return isinstance(value, dict) and value.keys() == kind.keys() and all(fits(value[k], kind[k]) for k in kind)
    return value is None if kind is None else type(value) is kind


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_have_exactly_the_columns_and_types_of_the_dataset(name: str) -> None:
    wrong = [n for n, row in enumerate(rows(name), 1) if not fits(row, COLUMNS[name])]
    without_code = [n for n, row in enumerate(MBPP, 1) if row["task_id"] == NO_CODE]
    assert wrong == (without_code if name == "mbpp.jsonl" else [])


def test_the_corpus_has_the_size_that_it_states() -> None:
    stated = re.findall(r"^\| `(\w+\.jsonl)` \| (\d+) ", (DEMO / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(count) for name, count in stated} == {name: len(rows(name)) for name in COLUMNS}
    assert (len(MBPP), len(CODEFORCES), len(COTS)) == (42, 20, 20)


def test_task_ids_are_unique_but_for_the_planted_duplicate() -> None:
    counts = Counter(row["task_id"] for row in MBPP)
    assert [task_id for task_id, count in counts.items() if count > 1] == [DUPLICATE]
    assert len({row["id"] for row in CODEFORCES}) == len(CODEFORCES)


def holds(row: Row, test: str) -> bool:
    """True when the assert passes after the row's code and setup code ran."""
    scope: Row = {}
    for source in (row["code"], row["test_setup_code"]):
        exec(source, scope)
    try:
        exec(test, scope)
    except AssertionError:
        return False
    return True


RUNNABLE = [row for row in MBPP if row["task_id"] not in (ENDLESS, NO_CODE)]


@pytest.mark.parametrize("row", RUNNABLE, ids=lambda row: str(row["task_id"]))
def test_an_mbpp_solution_passes_its_asserts_unless_its_flaw_forbids_it(row: Row) -> None:
    passed = [holds(row, test) for test in row["test_list"] + row["challenge_test_list"]]
    assert len(row["test_list"]) == 3
    assert len(row["code"].splitlines()) <= 15
    if row["task_id"] in (WRONG, RANDOM):
        assert not any(passed)
    else:
        assert passed.count(False) == (row["task_id"] == CONTRADICTORY)


def program_of(solution: Row) -> str | None:
    block = re.search(r"</think>.*?^```python3?\n(.*?)^```", solution["generation"], re.DOTALL | re.MULTILINE)
    return block[1] if block else None


def printed(program: str, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(program, "solution", "exec"), {"__name__": "__main__"})
    return output.getvalue()


def test_contest_solutions_reproduce_the_official_tests_but_for_the_planted_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tests = {row["id"]: row["official_tests"] for row in CODEFORCES if row["input_mode"] == "stdio"}
    failures: dict[tuple[str, int], int] = {}
    seen: Counter[str] = Counter()
    for solution in COTS:
        program, which = program_of(solution), seen[solution["id"]]
        seen[solution["id"]] += 1
        cases = tests.get(solution["id"], []) if program else []
        wrong = sum(printed(program or "", case["input"], monkeypatch) != case["output"] for case in cases)
        if wrong:
            failures[(solution["id"], which)] = wrong
    assert failures == {WRONG_SOLUTION[:2]: WRONG_SOLUTION[2]}


def test_every_usable_contest_problem_has_tests_and_a_solution_that_closes_its_block() -> None:
    solved = {row["id"] for row in COTS if program_of(row) and row["finish_reason"] == "stop"}
    for row in CODEFORCES:
        usable = row["input_mode"] == "stdio" and row["executable"] and bool(row["official_tests"])
        assert usable == (row["id"] not in UNSUPPORTED)
        assert not usable or 4 <= len(row["official_tests"]) == row["testset_size"] <= 6
        assert row["official_tests_complete"]
        assert (row["interaction_format"] is not None) == (not row["executable"])
    assert {row["id"] for row in CODEFORCES} - solved - UNSUPPORTED == WITHOUT_ORACLE
    assert [row["id"] for row in COTS if row["finish_reason"] == "length"] == ["demo-4/E"]
    assert {row["id"] for row in CODEFORCES} - {row["id"] for row in COTS} == {"demo-4/A", "demo-4/D"}


def test_every_answer_refers_to_a_sound_problem_and_no_answer_comes_twice() -> None:
    flawed = {WRONG, NON_LITERAL, RANDOM, CONTRADICTORY, ENDLESS, NO_CODE, DUPLICATE}
    known = {("demo-mbpp", str(row["task_id"])) for row in MBPP if row["task_id"] not in flawed}
    known |= {("demo-codeforces", row["id"]) for row in CODEFORCES if row["id"] not in UNSUPPORTED | WITHOUT_ORACLE}
    assert {(row["source"], row["source_id"]) for row in ANSWERS} <= known
    assert {row["language"] for row in ANSWERS} == {"python", "lua", "perl", "c", "javascript"}
    assert {row["sample"] for row in ANSWERS} == {0, 1}
    assert max(Counter((row["source_id"], row["language"], row["sample"]) for row in ANSWERS).values()) == 1


def test_every_answered_problem_is_answered_in_lua_and_every_sound_contest_problem_is_answered() -> None:
    answered = {row["source_id"] for row in ANSWERS}
    assert {row["source_id"] for row in ANSWERS if row["language"] == "lua"} == answered
    assert {row["id"] for row in CODEFORCES} - UNSUPPORTED - WITHOUT_ORACLE <= answered


def test_expected_verdicts_name_existing_answers_and_cover_every_kind_of_failure() -> None:
    answers = {(row["source_id"], row["language"], row["sample"]) for row in ANSWERS}
    assert set(EXPECTED) <= answers
    assert len(EXPECTED) >= 40
    verdicts = Counter(EXPECTED.values())
    assert verdicts.keys() == {
        "accepted",
        "wrong_answer",
        "runtime_error",
        "compile_error",
        "time_limit",
        "memory_limit",
        "output_limit",
    }
    assert (verdicts["time_limit"], verdicts["memory_limit"], verdicts["output_limit"]) == (2, 1, 1)
    # Answers without an expectation hold no program that could be run.
    assert len(answers) - len(EXPECTED) == 3
