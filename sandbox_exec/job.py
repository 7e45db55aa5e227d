"""What a pool is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tasklake.sandbox_exec.languages import Language
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.special import CheckerProgram
from tasklake.sandbox_exec.verdict import Case


@dataclass(frozen=True)
class Job:
    """A program to be run against cases, tests or both."""

    program: str | bytes
    language: Language | str
    cases: Sequence[Case]
    limits: Limits = field(default_factory=Limits)
    checker: str | CheckerProgram = "lines"
    # A test program in the language's own convention, run after the cases.
    tests: str | bytes = b""
