"""Cases that nobody asks for any more do not run, however far ahead of their answers they were sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = pytest.mark.sandbox

LIMITS = Limits(cpu_s=0.2)
CASES = [Case(f"{number}\n".encode(), b"right\n") for number in range(10)]
# Its runs are counted in a folder that is not wiped; the first is right, and quick.
COUNTED = 'echo >> "$TMPDIR/runs"\nread number\n[ $number = 0 ] && echo right && exit\n'
COUNT = 'wc -l < "$TMPDIR/runs"; rm "$TMPDIR/runs"\n'
ENDINGS = {
    "while :; do :; done": Verdict.time_limit,
    "exit 1": Verdict.runtime_error,
    "sleep 0.05; echo wrong": Verdict.wrong_answer,
}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(off=("wipe",)) as made:
        yield made


def runs(pool: Pool) -> int:
    return int(pool.run(COUNT, "shell", [Case(b"", b"")], LIMITS).cases[0].stdout_head)


@pytest.mark.parametrize(("ending", "verdict"), ENDINGS.items())
def test_nothing_runs_behind_a_case_that_failed(pool: Pool, ending: str, verdict: Verdict) -> None:
    """Two of ten cases run where the second is killed, crashes, or takes long to be wrong."""
    found = pool.run(COUNTED + ending, "shell", CASES, LIMITS, run_all=False)
    words = [step.verdict for step in found.cases]
    assert words == [Verdict.accepted, verdict, *[Verdict.skipped] * 8]
    assert runs(pool) == 2


@pytest.mark.parametrize(("ending", "verdict"), [*ENDINGS.items(), ("echo right", Verdict.accepted)])
def test_each_case_runs_once_where_all_are_wanted(pool: Pool, ending: str, verdict: Verdict) -> None:
    """A case that was sent in vain is sent again, and has run but once in the end."""
    found = pool.run(COUNTED + ending, "shell", CASES, LIMITS, run_all=True)
    assert [step.verdict for step in found.cases] == [Verdict.accepted, *[verdict] * 9]
    assert runs(pool) == 10
