"""The vocabulary of the sandbox: what running a program against cases showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tasklake.sandbox_exec.limits import Limits


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


# No limit changes what these say.
UNJUDGED = (Verdict.internal_error, Verdict.tampering, Verdict.skipped)
NEAR_LIMIT = 0.9


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
    # Of all its processes; 0 when it ended within a few ms and used less than the sandbox's own process.
    peak_memory_bytes: int = 0
    output_bytes: int = 0
    exit_code: int | None = None
    signal: int | None = None
    # Which limit ended it from outside: cpu, wall, memory, output, processes, or none.
    killed: str = ""
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
    # What its test program showed, where it has one.
    tests: Step | None = None


def judged(step: Step, limits: Limits) -> Verdict:
    """The word for a step's raw measures under limits, its output apart: tighter limits need no new run."""
    if step.verdict in UNJUDGED:
        return step.verdict
    failed = bool(step.killed or step.exit_code or step.signal)
    if step.killed == "output" or step.output_bytes > limits.output_bytes:
        return Verdict.output_limit
    # Who is denied memory often ends with an error of its own, just below the limit.
    most = limits.memory_bytes * (NEAR_LIMIT if failed and step.killed not in ("cpu", "wall") else 1)
    if step.killed == "memory" or step.peak_memory_bytes > most:
        return Verdict.memory_limit
    if step.killed in ("cpu", "wall") or step.cpu_s > limits.cpu_s:
        return Verdict.time_limit
    return Verdict.runtime_error if failed else Verdict.accepted


def overall(build: Verdict, cases: Sequence[Verdict]) -> Verdict:
    """The one word for a whole run: the weightiest of its steps."""
    shown = {build, *cases} - {Verdict.skipped}
    return next((word for word in PRECEDENCE if word in shown), Verdict.skipped)
