"""A language proves itself here: programs whose verdicts are known are run, and must be judged so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import (
    Language,
    SelfTest,
    ToolchainMissing,
    broken_languages,
    load_languages,
    toolchain,
)
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.verdict import Result

# The shortest that every self-test of ours needs; the program that must meet a limit takes all of it.
QUICK = Limits(cpu_s=1.0)


# Runs a job, as a pool's `done` does.
Run = Callable[[Job], Result]


def offers(folder: Path | None, run: Run | None) -> Iterator[dict[str, Any]]:
    """One row per language: whether it is offered here and why not; without a run, self-tests are left out."""
    for _, pack in sorted(load_languages(folder).items()):
        yield _offer(pack, run)
    for file, message in sorted(broken_languages(folder).items()):
        yield _offered(Path(file).stem, None, why_not=message)


def _offer(pack: Language, run: Run | None) -> dict[str, Any]:
    try:
        found = toolchain(pack)
    except ToolchainMissing as error:
        return _offered(pack.id, pack.tier, why_not=str(error))
    if run is None or not pack.self_test:
        return _offered(pack.id, pack.tier, found, "not run" if pack.self_test else "none")
    failed = [row for row in self_test(pack, run, QUICK) if not row["ok"]]
    if not failed:
        return _offered(pack.id, pack.tier, found, "passed")
    told = "; ".join(_told(row) for row in failed)
    return _offered(pack.id, pack.tier, found, "failed", f"{told}; mend the pack or its toolchain")


def _told(row: Mapping[str, Any]) -> str:
    return f"{row['place']}: self-test {row['check']}: expected {row['expected']}, got {row['got']}"


def _offered(
    name: str, tier: int | None, found: str = "", self_test: str = "not run", why_not: str = ""
) -> dict[str, Any]:
    made = {"language": name, "offered": not why_not, "tier": tier, "toolchain": found, "self_test": self_test}
    return {**made, "why_not": why_not}


def self_test(pack: Language, run: Run, limits: Limits | None = None) -> list[dict[str, Any]]:
    """One row per self-test of the pack: check, place, expected, got, ok; what cannot be run at all is told in got."""
    return [_row(pack, test, run, limits) for test in pack.self_test]


def _row(pack: Language, test: SelfTest, run: Run, limits: Limits | None) -> dict[str, Any]:
    got = _got(pack, test, run, limits)
    return {"check": test.name, "place": test.place, "expected": test.expect, "got": got, "ok": got == test.expect}


def _got(pack: Language, test: SelfTest, run: Run, limits: Limits | None) -> str:
    try:
        cases = [] if test.tests else [test.case()]
        return str(run(Job(test.program, pack, cases, limits or Limits(), tests=test.tests)).verdict)
    except TasklakeError as error:
        return str(error)
