"""Checkers that are programs: each runs in a box of its own, which holds the expected output and no candidate."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages import Language
from tasklake.sandbox_exec.limits import MIB, Limits
from tasklake.sandbox_exec.verdict import Step, Verdict

# A checker reads two outputs and compares: one that takes longer is broken.
LIMITS = Limits(cpu_s=30.0, memory_bytes=1024 * MIB)
# The files that a checker is given, in the order of the form: what the candidate read, what it wrote, what is expected.
INPUT, OUTPUT, ANSWER = "case-input.txt", "case-output.txt", "case-answer.txt"
# testlib's exit codes: ok, wrong answer, presentation error; its 3 says that the checker itself failed, its 7 that the
# answer is worth a part of the points, which is not right here.
TESTLIB = {0: Verdict.accepted, 1: Verdict.wrong_answer, 2: Verdict.presentation_error, 7: Verdict.wrong_answer}
NUMBER = re.compile(rb"[0-9]{1,9}(\.[0-9]{1,9})?")


class SpecialError(TasklakeError):
    """A checker program has no known form."""


@dataclass(frozen=True)
class CheckerProgram:
    """A program that compares: its form says what it is given and how it answers."""

    program: bytes
    language: Language
    form: str = "testlib"

    def __post_init__(self) -> None:
        """Refuse a form that nobody knows."""
        if self.form not in FORMS:
            raise SpecialError(f"a checker program has no form {self.form}; the forms are {', '.join(FORMS)}")

    def words(self) -> tuple[str, ...]:
        """The files that follow the command, in the order of the form."""
        return FORMS[self.form][0]

    def verdict(self, step: Step, output: bytes) -> Verdict | None:
        """What the checker says of the output, or None when it failed itself."""
        return FORMS[self.form][1](step, output)


def testlib(step: Step, output: bytes) -> Verdict | None:
    """The exit code is the answer."""
    return None if step.killed or step.exit_code is None else TESTLIB.get(step.exit_code)


def printed(step: Step, output: bytes) -> Verdict | None:
    """The last word written is the answer: 0 for wrong, a larger number for right."""
    words = output.split()
    if step.verdict is not Verdict.accepted or not words or not NUMBER.fullmatch(words[-1]):
        return None
    return Verdict.accepted if float(words[-1]) >= 1 else Verdict.wrong_answer


Judge = Callable[[Step, bytes], Verdict | None]
FORMS: Mapping[str, tuple[tuple[str, ...], Judge]] = {
    # checker INPUT OUTPUT ANSWER
    "testlib": ((INPUT, OUTPUT, ANSWER), testlib),
    # checker.py INPUT CORRECT OUTPUT, as open-r1/codeforces has them
    "open-r1": ((INPUT, ANSWER, OUTPUT), printed),
}
