"""Programs judged by test programs: a failed test, a crash and a failed build are told apart, and a pass is never taken
on the program's word.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from runpy import run_path

import pytest

from tasklake.sandbox_exec.backends import backends
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import NoConventionError, ToolchainMissing, language, load_languages, toolchain
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = pytest.mark.sandbox
TWICE = "def f(x):\n    return 2 * x\n"
# Language by language: what a program is about, its text, that of its tests, and the verdict. They lie beside this
# file, in modules that hold nothing else.
KNOWN: dict[str, dict[str, tuple[str, str, str]]] = {}
for _path in sorted(Path(__file__).parent.glob("testing_*.py")):
    KNOWN.update(run_path(str(_path))["KNOWN"])
# Of other languages, this many are tried with every change: a build takes seconds in some of them.
ALL_OF, OTHERS = ("c", "java", "javascript", "lua", "perl", "python"), 2


def rows(levels: Sequence[str]) -> Iterator[object]:
    for level in levels:
        for name, programs in KNOWN.items():
            for number, (what, (program, tests, verdict)) in enumerate(programs.items()):
                marks = [] if name in ALL_OF or number < OTHERS else [pytest.mark.wide]
                yield pytest.param(level, name, program, tests, verdict, id=f"{level}-{name}-{what}", marks=marks)


def judge(pool_at: Callable[[str], Pool], level: str, name: str, program: str, tests: str) -> Verdict:
    pool = pool_at(level)
    try:
        toolchain(language(name).tested(), pool.backend)
    except ToolchainMissing as error:
        pytest.skip(str(error))
    found = pool.done(Job(program, name, [], tests=tests))
    assert found.tests is not None
    return found.verdict


@pytest.mark.parametrize(("level", "name", "program", "tests", "verdict"), list(rows(["any"])))
def test_program_is_judged_by_its_tests(
    pool_at: Callable[[str], Pool], level: str, name: str, program: str, tests: str, verdict: str
) -> None:
    """The verdict tells a passed test, a failed one, a crash, a failed build and a forged pass apart."""
    assert judge(pool_at, level, name, program, tests) == verdict


@pytest.mark.wide
@pytest.mark.parametrize(
    ("level", "name", "program", "tests", "verdict"), list(rows([level.NAME for level in backends() if level.STRENGTH]))
)
def test_tests_are_judged_alike_on_every_level(
    pool_at: Callable[[str], Pool], level: str, name: str, program: str, tests: str, verdict: str
) -> None:
    """Which walls there are around a test program does not change its verdict."""
    assert judge(pool_at, level, name, program, tests) == verdict


def test_every_language_with_a_convention_is_known_here() -> None:
    """A pack that says how it is tested has programs of every kind in this file."""
    assert {name for name, pack in load_languages().items() if pack.test} == set(KNOWN)


def test_cases_come_before_tests() -> None:
    """A program may have both; its tests are skipped behind a failed case unless all are to run."""
    right, wrong = Case(b"", b"4\n"), Case(b"", b"5\n")
    program = TWICE + "if __name__ == '__main__':\n    print(f(2))\n"
    with Pool() as pool:
        both = pool.done(Job(program, "python", [right], tests="assert f(2) == 5"))
        stopped = pool.done(Job(program, "python", [wrong], tests="assert f(2) == 4"), run_all=False)
        whole = pool.done(Job(program, "python", [wrong], tests="assert f(2) == 5"), run_all=True)
    words = [
        (each.verdict, each.cases[0].verdict, each.tests and each.tests.verdict) for each in (both, stopped, whole)
    ]
    assert words == [
        ("test_failure", "accepted", "test_failure"),
        ("wrong_answer", "wrong_answer", "skipped"),
        ("test_failure", "wrong_answer", "test_failure"),
    ]


def test_text_of_one_is_no_place_for_the_other() -> None:
    """Braces in a program or its tests stay what they are."""
    with Pool() as pool:
        found = pool.done(
            Job('def f(): return "{tests}{program}"\n', "python", [], tests='assert f()[0] == "{"\n# {program}')
        )
    assert found.verdict == "accepted"


def test_language_without_a_convention_is_refused() -> None:
    """Tests for a language whose pack says nothing about them are a mistake that is told at once."""
    plain = replace(language("shell"), test=None)
    with Pool() as pool, pytest.raises(NoConventionError, match="shell"):
        pool.done(Job("echo", plain, [], tests="true"))


def test_tests_from_files(tmp_path: Path) -> None:
    """`tasklake verify --tests` and a batch's key `tests` judge by a test program, and tell what it showed."""
    (tmp_path / "a.py").write_text(TWICE)
    (tmp_path / "t.py").write_text("assert f(2) == 5\n")
    (tmp_path / "none.py").write_text("\n")
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "plain.yaml").write_text("filename: main.sh\nexecute: sh main.sh\n")
    jobs = [
        {"id": "a", "program": TWICE, "language": "python", "tests": "assert f(2) == 4"},
        {"id": "b", "program": "print(3)", "language": "python", "cases": [{"input": "", "output": "3"}], "tests": "x"},
        {"id": "c", "program": "echo", "language": "plain", "tests": "x"},
        {"id": "d", "program": "print(3)", "language": "python"},
    ]
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(job) + "\n" for job in jobs))

    def verify(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "tasklake.jobs", "verify", *words]
        plugins = {**os.environ, "TASKLAKE_PLUGINS": str(tmp_path)}
        return subprocess.run(argv, cwd=tmp_path, env=plugins, capture_output=True, text=True, check=False)

    one = verify("a.py", "--language", "python", "--tests", "t.py", "--json")
    assert (one.returncode, json.loads(one.stdout)["tests"]["verdict"]) == (1, "test_failure")
    empty = verify("a.py", "--language", "python", "--tests", "none.py")
    assert (empty.returncode, "none.py: holds no test" in empty.stderr) == (2, True)
    verify("--batch", "jobs.jsonl", "--out", "out.jsonl")
    told = {row["id"]: row for row in map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())}
    assert (told["a"]["verdict"], told["b"]["verdict"]) == ("accepted", "test_failure")
    assert told["b"]["tests"]["verdict"] == "test_failure"
    assert "no test convention" in told["c"]["error"]
    assert "cases" in told["d"]["error"]
