"""The vocabulary of the sandbox: what running a program against cases showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """One word for what a program did, its name being the word."""

    accepted = "accepted"
    wrong_answer = "wrong_answer"
    presentation_error = "presentation_error"
    runtime_error = "runtime_error"
    time_limit = "time_limit"
    memory_limit = "memory_limit"
    output_limit = "output_limit"
    compile_error = "compile_error"
    compile_limit = "compile_limit"
    test_failure = "test_failure"
    tampering = "tampering"
    internal_error = "internal_error"
    skipped = "skipped"


# DESIGN §6: what outweighs what when steps differ. A step that was skipped says nothing.
PRECEDENCE = (
    Verdict.internal_error,
    Verdict.tampering,
    Verdict.compile_error,
    Verdict.compile_limit,
    Verdict.output_limit,
    Verdict.memory_limit,
    Verdict.time_limit,
    Verdict.runtime_error,
    Verdict.test_failure,
    Verdict.wrong_answer,
    Verdict.presentation_error,
    Verdict.accepted,
)


@dataclass(frozen=True)
class Case:
    """One input with its expected output."""

    input: bytes
    output: bytes


@dataclass(frozen=True)
class Step:
    """What one build or one case showed, with its raw measures."""

    verdict: Verdict
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_memory_bytes: int = 0
    output_bytes: int = 0
    exit_code: int | None = None
    signal: int | None = None
    measured_by: str = ""
    stdout_head: bytes = b""
    stderr_tail: bytes = b""


@dataclass(frozen=True)
class Result:
    """What a program showed over its build and all cases."""

    verdict: Verdict
    build: Step
    cases: tuple[Step, ...]
    isolation: str
    unenforced: tuple[str, ...]
    language: str
    toolchain: str


def overall(build: Verdict, cases: Sequence[Verdict]) -> Verdict:
    """The one word for a whole run: the weightiest of its steps."""
    shown = {build, *cases} - {Verdict.skipped}
    return next((word for word in PRECEDENCE if word in shown), Verdict.skipped)
