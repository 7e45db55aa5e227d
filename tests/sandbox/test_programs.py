"""Real programs in many languages, each with the verdict that is known of it, are judged so.

They are other people's, so they are not part of the project: see ../shared/data/README.md.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import Language, ToolchainMissing, load_languages, toolchain
from tasklake.sandbox_exec.limits import MIB, Limits
from tasklake.sandbox_exec.pool import Pool, cores
from tasklake.sandbox_exec.verdict import Case, Result, Step, Verdict

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PROGRAMS = DATA / "programs" / "cases.jsonl"
PROBLEMS = DATA / "programs" / "problems.jsonl"
SOLUTIONS = DATA / "contest" / "standin_solutions.jsonl"
CONTESTS = DATA / "contest" / "standin_codeforces.jsonl"
ORIGINS = DATA / "contest" / "standin_codeforces_provenance.jsonl"
# The languages of the programs, and those of the contest solutions.
LANGUAGES = ("ada", "c", "cobol", "d", "fortran", "go", "haskell", "lua", "ocaml", "pascal", "perl", "r", "rust")
SOLVED_IN = ("cpp", "go", "haskell", "java", "python")
# Of each language, the same ones on every machine: some hundred runs that take less than a minute on two cores.
SAMPLE, SEED = 3, 8
# What the data was verified under is a placeholder for many problems, 20 s for the others; no solution needs more.
CONTEST_CPU_S = 20.0
WORDS = {"AC": Verdict.accepted, "WA": Verdict.wrong_answer, "RE": Verdict.runtime_error}
# The programs were verified with GNU's extensions, which a strict dialect hides: strdup, typeof.
STRICT = {"-std=c17": "-std=gnu17", "-std=c++20": "-std=gnu++20"}

# Minutes, for every toolchain that is here.
pytestmark = [pytest.mark.sandbox, pytest.mark.wide]
each_language = pytest.mark.parametrize("name", LANGUAGES)
each_solved = pytest.mark.parametrize("name", SOLVED_IN)


@dataclass(frozen=True)
class Known:
    """A program, how to run it, and what is known of it: the words for the whole, and for each case where told."""

    name: str
    job: Job
    acceptable: frozenset[str]
    each: tuple[Verdict, ...] = ()

    def wrong(self, result: Result) -> str:
        """What differs from what is known, or nothing."""
        got = tuple(step.verdict for step in result.cases)
        if str(result.verdict) in self.acceptable and (not self.each or got == self.each):
            return ""
        shown = next((step for step in (result.build, *result.cases) if step.verdict is not Verdict.accepted), Step)
        return f"{self.name}: {result.verdict}, not {sorted(self.acceptable)}: {list(map(str, got))} {shown}"


def pack_of(name: str) -> Language:
    """The pack of the language, in the dialect that the data was verified in; skipped where it cannot be used."""
    if name not in load_languages():
        pytest.skip(f"no pack is called {name}")
    pack = load_languages()[name]
    try:
        toolchain(pack)
    except ToolchainMissing as error:
        pytest.skip(str(error))
    for strict, dialect in STRICT.items():
        pack = replace(pack, compile=pack.compile.replace(strict, dialect))
    return pack


@cache
def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; skipped where it is missing."""
    if not path.exists():
        pytest.skip(f"{path} is missing")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def cases(tests: Iterable[dict[str, str]]) -> tuple[Case, ...]:
    """The tests as cases."""
    return tuple(Case(test["input"].encode(), test["output"].encode()) for test in tests)


def programs(pack: Language) -> Iterator[Known]:
    """The programs of a language, with the verdict of each case where white space and letter case do not decide."""
    problems = {row["problem_id"]: row for row in rows(PROBLEMS)}
    for row in rows(PROGRAMS):
        if row["language"] != pack.id:
            continue
        problem = problems[row["problem_id"]]
        limits = Limits(cpu_s=problem["time_limit_s"], memory_bytes=problem["memory_limit_mb"] * MIB)
        each = () if row["kind"].startswith("boundary") else tuple(WORDS[word] for word in row["per_test"])
        job = Job(row["program"], pack, cases(problem["tests"]), limits)
        yield Known(row["case_id"], job, frozenset(row["acceptable_verdicts"]), each)


def solutions(pack: Language) -> Iterator[Known]:
    """The contest solutions in a language."""
    problems = {row["id"]: row for row in rows(CONTESTS)}
    origins = {row["id"]: row for row in rows(ORIGINS)}
    for row in rows(SOLUTIONS):
        if row["language"] != pack.id:
            continue
        problem = problems[row["problem_id"]]
        limits = Limits(cpu_s=CONTEST_CPU_S, memory_bytes=int(problem["memory_limit"]) * MIB)
        program = called_main(row["code"]) if pack.filename == "Main.java" else row["code"]
        job = Job(program, pack, cases(problem["official_tests"]), limits, checker(origins[row["problem_id"]]))
        yield Known(row["problem_id"], job, frozenset((row["verified_verdict"],)))


def called_main(program: str) -> str:
    """The program with its public class called Main: the data was verified in files named after their class."""
    found = re.search(r"^\s*public\s+(?:final\s+)?class\s+(\w+)", program, re.MULTILINE)
    return re.sub(rf"\b{found[1]}\b", "Main", program) if found else program


def checker(origin: dict[str, str]) -> str:
    """The checker with the flags of the problem's validator."""
    flags = ["case"] if "case-sensitive" in origin["comparison"] else []
    words = origin["validator_flags"].split()
    for flag, value in zip(words[::2], words[1::2], strict=True):
        names = {"float_tolerance": ("abs", "rel"), "float_absolute_tolerance": ("abs",)}[flag]
        flags += [f"{name}={value}" for name in names]
    return "tokens:" + (",".join(flags) or "kattis")


def misjudged(known: Iterable[Known]) -> list[str]:
    """What differs from what is known of the programs."""
    listed = list(known)
    assert listed
    with Pool(cores()) as pool:
        found = sorted(pool.each(each.job for each in listed))
    return [told for each, (_, result) in zip(listed, found, strict=True) if (told := each.wrong(result))]


def some(known: Iterable[Known]) -> list[Known]:
    """A few of them, always the same ones."""
    listed = list(known)
    return random.Random(SEED).sample(listed, min(SAMPLE, len(listed)))


@each_language
def test_a_sample_of_programs_is_judged_as_known(name: str) -> None:
    """A few programs of each language are judged as the data says."""
    assert not misjudged(some(programs(pack_of(name))))


@each_solved
def test_a_sample_of_contest_solutions_is_accepted(name: str) -> None:
    """A few contest solutions in each language pass all tests under their problem's checker."""
    assert not misjudged(some(solutions(pack_of(name))))


@pytest.mark.wide
@pytest.mark.timeout(3600)
@each_language
def test_every_program_is_judged_as_known(name: str) -> None:
    """All programs of each language are judged as the data says, case by case."""
    assert not misjudged(programs(pack_of(name)))


@pytest.mark.wide
@pytest.mark.timeout(3600)
@each_solved
def test_every_contest_solution_is_accepted(name: str) -> None:
    """All contest solutions in each language pass all tests under their problem's checker."""
    assert not misjudged(solutions(pack_of(name)))
