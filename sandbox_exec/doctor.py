"""A language proves itself here: programs whose verdicts are known are run, and must be judged so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tasklake.sandbox_exec.backends import IsolationError
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
from tasklake.sandbox_exec.probing import isolation_level
from tasklake.sandbox_exec.verdict import Result

if TYPE_CHECKING:
    from tasklake.sandbox_exec.pool import Pool

# The shortest that every self-test of ours needs; the program that must meet a limit takes all of it.
QUICK = Limits(cpu_s=1.0)


# Enough starts for one of them to be usual.
STARTS = 5
# The program that starts, reads and writes, and does nothing else.
ECHO = "echo"


# Runs a job, as a pool's `done` does.
Run = Callable[[Job], Result]


def offers(folder: Path | None, pool: Pool | None) -> Iterator[dict[str, Any]]:
    """One row per language: whether it is offered here and why not; without a pool, self-tests are left out."""
    level = level_of(pool)
    packs = [pack for _, pack in sorted(load_languages(folder).items())]
    # Self-tests measure how long a start takes, so they have the machine for themselves; versions are only waited for.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for row in (map if pool else threads.map)(lambda pack: _offer(pack, pool), packs):
            yield {**row, "isolation": level}
    for file, message in sorted(broken_languages(folder).items()):
        yield {**_offered(Path(file).stem, None, reason=message), "isolation": level}


def level_of(pool: Pool | None) -> str:
    """The level that programs would run in; nothing where none works."""
    try:
        return str(pool.backend.NAME) if pool else isolation_level()
    except IsolationError:
        return ""


def _offer(pack: Language, pool: Pool | None) -> dict[str, Any]:
    try:
        found = toolchain(pack, pool.backend if pool else None)
    except ToolchainMissing as error:
        return _offered(pack.id, pack.tier, reason=str(error))
    if pool is None or not pack.self_test:
        return _offered(pack.id, pack.tier, found, "not run" if pack.self_test else "none")
    failed = [row for row in self_test(pack, pool.done, QUICK) if not row["ok"]]
    if not failed:
        return {**_offered(pack.id, pack.tier, found, "passed"), "start_ms": start_ms(pack, pool.done)}
    told = "; ".join(_told(row) for row in failed)
    return _offered(pack.id, pack.tier, found, "failed", f"{told}; mend the pack or its toolchain")


def _told(row: Mapping[str, Any]) -> str:
    return f"{row['place']}: self-test {row['check']}: expected {row['expected']}, got {row['got']}"


def start_ms(pack: Language, run: Run) -> float | None:
    """What starting a program of the language costs: the median of a few runs of the one that does the least."""
    echo = next((test for test in pack.self_test if test.name == ECHO), None)
    if echo is None:
        return None
    result = run(Job(echo.program, pack, [echo.case()] * STARTS, QUICK))
    return round(median(step.wall_s for step in result.cases) * 1000, 1)


def _offered(
    name: str, tier: int | None, found: str = "", self_test: str = "not run", reason: str = ""
) -> dict[str, Any]:
    made = {"id": name, "tier": tier, "offered": not reason, "reason": reason, "toolchain": found}
    return {**made, "self_test": self_test, "start_ms": None}


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
