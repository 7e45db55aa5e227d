"""A program judged by a test program, by the test convention of its language.

Program and tests run in one process, so nothing that this process writes or ends with is believed by itself. The
driver of the pack gets two tokens on its input and hands back the one that fits: all tests passed, or one failed. A
program that is said to have passed is run again with one more test that cannot pass, the canary: whoever passes then
as well has not been judged by its tests. What goes wrong in the text of the tests is a failed test, what goes wrong in
the program is a crash.

That finds programs that get around their tests, by accident or by design, but not one that looks for the words in the
driver's memory: it can tell the canary from a real run, and answers each as is expected. Cases are the stronger means,
for their outputs never come near a program.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tasklake.sandbox_exec.channel import AgentDied
from tasklake.sandbox_exec.verdict import Result, Step, Verdict, overall
from tasklake.sandbox_exec.work import TRIES, Work, failed, near_limit

if TYPE_CHECKING:
    from tasklake.sandbox_exec.artefacts import Built
    from tasklake.sandbox_exec.job import Job
    from tasklake.sandbox_exec.languages import Language
    from tasklake.sandbox_exec.pool import Pool, Slot

# Nobody guesses this many random bytes.
TOKEN_BYTES = 16
UNFINISHED = b"the tests did not run to their end"
SUPPRESSED = b"a test that cannot pass was said to have passed, twice: what the program does to its tests is no proof"


@dataclass(frozen=True)
class Tokens:
    """What a driver is told: the words for passed and failed, and two more that one last test compares."""

    passed: str = field(default_factory=lambda: secrets.token_hex(TOKEN_BYTES))
    failed: str = field(default_factory=lambda: secrets.token_hex(TOKEN_BYTES))
    left: str = field(default_factory=lambda: secrets.token_hex(TOKEN_BYTES))
    canary: bool = False

    def line(self) -> bytes:
        """The driver's input; in a canary the last two words differ, and the test that compares them fails."""
        right = secrets.token_hex(TOKEN_BYTES) if self.canary else self.left
        return f"{self.passed} {self.failed} {self.left} {right}\n".encode()

    def judged(self, step: Step, output: bytes) -> Step:
        """The step with the word for what came back."""
        last = output.rstrip().rpartition(b"\n")[2].strip().decode("ascii", "replace")
        if step.verdict is Verdict.accepted and last != self.passed:
            tail = step.stderr_tail if last == self.failed else step.stderr_tail + UNFINISHED
            return replace(step, verdict=Verdict.test_failure, stderr_tail=tail)
        if step.verdict is Verdict.runtime_error and last == self.failed:
            return replace(step, verdict=Verdict.test_failure)
        return step


class Testing:
    """A program beside its tests, in its language as packs say it is tested."""

    def __init__(self, pool: Pool, pack: Language, job: Job):
        tested = pack.tested()
        self.pool = pool
        convention = pack.test
        assert convention is not None
        files = convention.attached(as_bytes(job.program), as_bytes(job.tests))
        self.work = Work(pool, tested, files, job, plain=pack)

    def done(self, slot: Slot) -> tuple[Step, Step]:
        """What the build showed, and what the tests did."""
        built = self.work.built(slot)
        if built.step.verdict is not Verdict.accepted:
            return built.step, Step(Verdict.skipped)
        step = self.tried(slot, built, Tokens())
        if step.verdict is not Verdict.accepted or not self.suppresses(slot, built):
            return built.step, step
        return built.step, replace(step, verdict=Verdict.tampering, stderr_tail=SUPPRESSED)

    def suppresses(self, slot: Slot, built: Built) -> bool:
        """True when a test that cannot pass is said to pass, and again in a new box while nobody else runs."""
        if self.tried(slot, built, Tokens(canary=True)).verdict is not Verdict.accepted:
            return False
        slot.close()
        with self.pool.turns.alone():
            return self.tried(slot, built, Tokens(canary=True)).verdict is Verdict.accepted

    def tried(self, slot: Slot, built: Built, tokens: Tokens) -> Step:
        """What the tests showed; our own failure is tried again in a new box before it is told."""
        told = ""
        for _ in range(TRIES):
            try:
                step = self.step(slot, built, tokens)
                if step.verdict is not Verdict.internal_error:
                    return step
                told = step.stderr_tail.decode("utf-8", "replace")
            except (AgentDied, OSError) as error:
                told = str(error) or type(error).__name__
        return failed(told)

    def step(self, slot: Slot, built: Built, tokens: Tokens) -> Step:
        """One run of the tests; who ends just beyond the CPU limit is tried again while nobody else runs."""
        step, parts = self.work.once(slot, built.files, tokens.line())
        if near_limit(step, self.work.limits):
            with self.pool.turns.alone():
                step, parts = self.work.once(slot, built.files, tokens.line())
        return tokens.judged(step, parts[0])


def judge_of(pool: Pool, pack: Language, job: Job) -> Callable[..., Result]:
    """What judges the job in a slot: its cases, its tests, or its cases and then its tests."""
    work = Work(pool, pack, ((pack.filename, False, as_bytes(job.program)),), job)
    testing = Testing(pool, pack, job) if job.tests else None

    def judge(slot: Slot, *, run_all: bool) -> Result:
        if testing is None:
            return work.done(slot, job.cases, run_all=run_all)
        if not job.cases:
            build, step = testing.done(slot)
            return with_tests(work.told(build, ()), step)
        found = work.done(slot, job.cases, run_all=run_all)
        enough = found.build.verdict is Verdict.accepted and (run_all or found.verdict is Verdict.accepted)
        if not enough:
            return with_tests(found, Step(Verdict.skipped))
        build, step = testing.done(slot)
        return with_tests(found, build if step.verdict is Verdict.skipped else step)

    return judge


def with_tests(found: Result, step: Step) -> Result:
    """The result with what the tests showed."""
    words = [each.verdict for each in (*found.cases, step)]
    return replace(found, tests=step, verdict=overall(found.build.verdict, words))


def as_bytes(text: str | bytes) -> bytes:
    """The text as it is written to a file."""
    return text.encode() if isinstance(text, str) else text
