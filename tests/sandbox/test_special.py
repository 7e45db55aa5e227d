"""Checker programs: run in a box of their own, and never the candidate's fault when they fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasklake.sandbox_exec.languages import language
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.special import CheckerProgram, SpecialError
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = pytest.mark.sandbox

# Right is any pair of numbers with the wanted sum: no comparison of text can say so.
PAIR = """
import sys
given, wrote, wanted = (open(name).read().split() for name in sys.argv[1:])
try:
    a, b = map(int, wrote)
except ValueError:
    print("two numbers, please", file=sys.stderr); sys.exit(2)
sys.exit(0 if a + b == int(given[0]) and wanted else 1)
"""
PRINTED = """
import sys
given, correct, wrote = (open(name).read().split() for name in sys.argv[1:])
print("looking"); print(1 if sum(map(int, wrote)) == int(given[0]) else 0)
"""
IN_C = """
#include <stdio.h>
int main(int n, char **names) {
    int sum, a, b;
    FILE *given = fopen(names[1], "r"), *wrote = fopen(names[2], "r");
    if (n != 4 || fscanf(given, "%d", &sum) != 1) return 3;
    if (fscanf(wrote, "%d %d", &a, &b) != 2) return 2;
    return a + b != sum;
}
"""
CASES = [Case(b"10\n", b"4 6\n"), Case(b"7\n", b"0 7\n")]
SMALL = Limits(cpu_s=5.0)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as made:
        yield made


def judged(pool: Pool, program: str, checker: CheckerProgram) -> list[Verdict]:
    return [step.verdict for step in pool.run(program, "python", CASES, SMALL, checker=checker).cases]


@pytest.mark.parametrize(
    ("name", "form", "text"), [("python", "testlib", PAIR), ("python", "open-r1", PRINTED), ("c", "testlib", IN_C)]
)
def test_any_right_answer_is_accepted(pool: Pool, name: str, form: str, text: str) -> None:
    """Other answers than the expected one are right when the checker says so, and wrong when it does not."""
    checker = CheckerProgram(text.encode(), language(name), form)
    assert judged(pool, "print(3, int(input()) - 3)", checker) == [Verdict.accepted] * 2
    assert judged(pool, "print(4, 6)", checker) == [Verdict.accepted, Verdict.wrong_answer]
    # Another program in between: the slot's boxes are not mixed up.
    assert pool.run("print(1)", "python", [Case(b"", b"1\n")], SMALL).verdict is Verdict.accepted


def test_presentation_error_is_one_where_the_checker_says_so(pool: Pool) -> None:
    """testlib's exit code 2."""
    checker = CheckerProgram(PAIR.encode(), language("python"))
    assert judged(pool, "print('ten')", checker) == [Verdict.presentation_error] * 2


@pytest.mark.parametrize(
    ("name", "form", "text"),
    [
        ("python", "testlib", "import sys; sys.exit(3)"),
        ("python", "testlib", "import os; os.abort()"),
        ("python", "testlib", "while True: pass"),
        ("python", "open-r1", "print('maybe')"),
        ("python", "open-r1", "1 / 0"),
        ("c", "testlib", "int main("),
    ],
    ids=["says that it failed", "crashes", "never ends", "says nothing", "raises", "cannot be built"],
)
def test_checker_that_fails_is_no_score(pool: Pool, name: str, form: str, text: str, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A checker's failure is an internal error that names it, not a wrong answer."""
    monkeypatch.setattr("tasklake.sandbox_exec.work.LIMITS", Limits(cpu_s=0.5))
    checker = CheckerProgram(text.encode(), language(name), form)
    step = pool.run("print(4, 6)", "python", CASES[:1], SMALL, checker=checker).cases[0]
    assert step.verdict is Verdict.internal_error
    assert b"checker program" in step.stderr_tail


def test_crash_of_the_candidate_needs_no_checker(pool: Pool) -> None:
    """What ended badly is judged by that."""
    checker = CheckerProgram(b"import sys; sys.exit(0)", language("python"))
    assert judged(pool, "1 / 0", checker) == [Verdict.runtime_error] * 2


def test_unknown_form_is_refused() -> None:
    """The forms that there are, are told."""
    with pytest.raises(SpecialError, match="testlib, open-r1"):
        CheckerProgram(b"", language("python"), "points")
