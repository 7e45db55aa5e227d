"""A language proves itself here: programs whose verdicts are known are run, and must be judged so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages import Language, SelfTest
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.verdict import Case, Result


class Run(Protocol):
    """Runs a program against cases, as tasklake.sandbox_exec.pool.run and a pool's own run do."""

    def __call__(
        self, program: bytes, language: Language, cases: Sequence[Case], limits: Limits | None, /, *, checker: str
    ) -> Result:
        """What the program showed."""


def self_test(pack: Language, run: Run, limits: Limits | None = None) -> list[dict[str, Any]]:
    """One row per self-test of the pack: check, expected, got, ok; what cannot be run at all is told in got."""
    return [_row(pack, test, run, limits) for test in pack.self_test]


def _row(pack: Language, test: SelfTest, run: Run, limits: Limits | None) -> dict[str, Any]:
    got = _got(pack, test, run, limits)
    return {"check": test.name, "expected": test.expect, "got": got, "ok": got == test.expect}


def _got(pack: Language, test: SelfTest, run: Run, limits: Limits | None) -> str:
    try:
        return str(run(test.program.encode(), pack, [test.case()], limits, checker="lines").verdict)
    except TasklakeError as error:
        return str(error)
