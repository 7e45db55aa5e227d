"""One program on its way through a slot: built, run on its cases, and judged by what that showed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tasklake.sandbox_exec.artefacts import Built
from tasklake.sandbox_exec.caches import CacheError, prewarmed
from tasklake.sandbox_exec.channel import Agent, AgentDied, File
from tasklake.sandbox_exec.checkers import checker as checker_named
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import Language, ground, resolved
from tasklake.sandbox_exec.languages.toolchains import own_folder
from tasklake.sandbox_exec.limits import BUILD, Limits
from tasklake.sandbox_exec.special import ANSWER, INPUT, LIMITS, OUTPUT, CheckerProgram
from tasklake.sandbox_exec.verdict import Case, Result, Step, Verdict, judged, overall
from tasklake.sandbox_exec.zygotes import zygote

if TYPE_CHECKING:
    from tasklake.sandbox_exec.pool import Pool, Slot

# DESIGN §6: our own failure is tried again in a new box before it is told.
TRIES = 3
HEAD = 4096
COMPILE_WORDS = {
    Verdict.runtime_error: Verdict.compile_error,
    Verdict.time_limit: Verdict.compile_limit,
    Verdict.memory_limit: Verdict.compile_limit,
    Verdict.output_limit: Verdict.compile_limit,
}


class Work:
    """The files of a program, its language, and the rules that it is judged by."""

    def __init__(self, pool: Pool, pack: Language, source: Sequence[File], job: Job, plain: Language | None = None):
        self.pool, self.pack, self.source, self.job = pool, pack, tuple(source), job
        # Prewarmed caches are filled by the build of a program without tests.
        self.plain = plain or pack
        self.limits = job.limits.scaled(pack.limit_factors)
        self.special = job.checker if isinstance(job.checker, CheckerProgram) else None
        self.right = checker_named("exact" if isinstance(job.checker, CheckerProgram) else job.checker)
        found = ground(pack, pool.backend)
        self.toolchain, self.root = found.toolchain, found.root

    def done(self, slot: Slot, cases: Sequence[Case], *, run_all: bool) -> Result:
        """What the program showed."""
        built = self.built(slot)
        steps: list[Step] = []
        if built.step.verdict is Verdict.accepted:
            steps = self.tested(slot, built, cases, run_all=run_all)
            steps += [Step(Verdict.skipped)] * (len(cases) - len(steps))
        return self.told(built.step, steps)

    def told(self, build: Step, steps: Sequence[Step]) -> Result:
        """The result that the steps make."""
        verdict = overall(build.verdict, [step.verdict for step in steps])
        level, unheld = self.pool.backend.NAME, tuple(self.pool.backend.UNENFORCED)
        return Result(verdict, build, tuple(steps), level, unheld, self.pack.id, self.toolchain)

    def tested(self, slot: Slot, built: Built, cases: Sequence[Case], *, run_all: bool) -> list[Step]:
        """A step for each case in turn, up to the first that fails unless all are to run."""
        steps: list[Step] = []
        failures = 0
        while len(steps) < len(cases) and (run_all or not steps or steps[-1].verdict is Verdict.accepted):
            before = len(steps)
            try:
                self.some(slot, built, cases, steps, run_all=run_all)
                told = steps.pop().stderr_tail if steps[-1].verdict is Verdict.internal_error else b""
            except (AgentDied, OSError) as error:
                told = str(error).encode() or type(error).__name__.encode()
            failures = failures + 1 if told and len(steps) == before else 0
            if failures == TRIES:
                steps.append(Step(Verdict.internal_error, stderr_tail=told[-HEAD:]))
                failures = 0
        return steps

    def some(self, slot: Slot, built: Built, cases: Sequence[Case], steps: list[Step], *, run_all: bool) -> None:
        """Steps are added until all cases have one, or until one of them needs a closer look."""
        argv, agent = self.runner(slot)
        agent.program(built.files)
        left = cases[len(steps) :]
        inputs = [case.input for case in left]
        with closing(agent.run(argv, self.pack.variables(self.limits), self.limits, inputs)) as answers:
            for case, (told, parts) in zip(left, answers, strict=True):
                step = self.compared(slot, step_of(told, parts, self.limits), case, parts)
                steps.append(step)
                if near_limit(step, self.limits) or step.verdict is Verdict.internal_error:
                    break
                if not run_all and step.verdict is not Verdict.accepted:
                    return
        if near_limit(steps[-1], self.limits):
            # Whoever fails to confirm it has told nothing: the case is tried again.
            step = steps.pop()
            steps.append(self.confirmed(slot, built, cases[len(steps)], step))

    def confirmed(self, slot: Slot, built: Built, case: Case, step: Step) -> Step:
        """The step of a program that ended by itself just beyond its CPU limit, tried again while nobody else runs."""
        with self.pool.turns.alone():
            again, parts = self.once(slot, built.files, case.input)
        again = self.compared(slot, again, case, parts)
        # Neighbours can only make a program slower.
        return again if again.cpu_s < step.cpu_s else step

    def once(
        self, slot: Slot, files: Sequence[File], given: bytes, role: str = "run", more: Sequence[str] = ()
    ) -> tuple[Step, Sequence[bytes]]:
        """What running the files on one input showed, its output not judged, and that output."""
        argv, agent = self.runner(slot, role, more)
        agent.program(files)
        told, parts = next(agent.run(argv, self.pack.variables(self.limits), self.limits, [given]))
        return step_of(told, parts, self.limits), parts

    def runner(self, slot: Slot, role: str = "run", more: Sequence[str] = ()) -> tuple[list[str], Agent]:
        """The words that run the program, and the agent to run them: by a fork of a runtime where that can be had."""
        argv, show = self.command("execute", self.limits, more)
        # What makes a runtime a zygote is built for this machine's own root.
        forks = role == "run" and not self.root and getattr(self.pool.backend, "ZYGOTES", False)
        asked = zygote(self.pack, argv, self.limits) if forks else None
        shown = (*show, os.path.dirname(asked.library)) if asked else show
        return argv, slot.agent(self.limits, role=role, show=shown, root=self.root, zygote=asked)

    def compared(self, slot: Slot, step: Step, case: Case, parts: Sequence[bytes]) -> Step:
        """The step with its last word; the expected output is looked at here and nowhere else."""
        if step.verdict is not Verdict.accepted:
            return step
        if self.special is not None:
            return self.checked(slot, self.special, step, (case, parts[0]))
        return worded(step, self.right(case.output, parts[0]))

    def checked(self, slot: Slot, special: CheckerProgram, step: Step, shown: tuple[Case, bytes]) -> Step:
        """The step with the word of a checker program, which sees the expected output where no candidate ever runs."""
        case, output = shown
        job = Job(special.program, special.language, (), LIMITS)
        source = (special.language.filename, False, special.program)
        work = Work(self.pool, special.language, (source,), job)
        built = work.built(slot)
        if built.step.verdict is not Verdict.accepted:
            return failed(f"the checker program cannot be built: {built.step.stderr_tail.decode('utf-8', 'replace')}")
        files = ((INPUT, False, case.input), (OUTPUT, False, output), (ANSWER, False, case.output))
        said, parts = work.once(slot, (*built.files, *files), b"", "check", special.words())
        word = special.verdict(said, parts[0])
        if word is None:
            return failed(f"the checker program failed: {said.verdict} {said.stderr_tail.decode('utf-8', 'replace')}")
        return replace(step, verdict=word)

    def built(self, slot: Slot) -> Built:
        """The program's files as they are run, compiled where the language is."""
        if not self.pack.compile:
            return Built(Step(Verdict.accepted), self.source)
        held = tuple((name, hashlib.sha256(data).digest()) for name, _, data in self.source)
        key = (held, self.pack.digest(), self.toolchain)
        built = self.pool.artefacts.get(key)
        if built is None:
            built = tried(lambda: self.compiled(slot, self.source))
            self.pool.artefacts.put(key, built)
        return built

    def compiled(self, slot: Slot, files: Sequence[File], first: str = "") -> Built:
        """What the compiler made, in a box that holds no case."""
        limits = BUILD.scaled(self.pack.limit_factors)
        argv, show = self.command("compile", limits)
        caches = {} if first else self.caches(slot)
        # What comes first is a line for a shell, which then becomes the compiler.
        argv = ["/bin/sh", "-c", first, "sh", *argv] if first else argv
        agent = slot.agent(limits, role="build", show=(*show, *caches.values()), root=self.root)
        agent.program(files)
        told, parts = next(agent.run(argv, {**self.pack.variables(limits), **caches}, limits, [b""], collect=True))
        step = step_of(told, parts, limits)
        step = replace(step, verdict=COMPILE_WORDS.get(step.verdict, step.verdict))
        made = [
            (name, executable, data) for (name, executable), data in zip(told.get("files", ()), parts[2:], strict=True)
        ]
        if step.verdict is not Verdict.accepted and not step.stderr_tail.strip():
            # Some compilers say what is wrong on their standard output.
            step = replace(step, stderr_tail=parts[0][-HEAD:])
        if step.verdict is Verdict.accepted and not made:
            return Built(replace(step, verdict=Verdict.compile_limit), ())
        return Built(step, (*files, *made))

    def caches(self, slot: Slot) -> dict[str, str]:
        """The pack's variables for folders that its builds read, filled on this machine's first build."""

        plain = Work(self.pool, self.plain, (), self.job)

        def build(program: bytes, first: str) -> Sequence[File]:
            built = plain.compiled(slot, ((self.plain.filename, False, program),), first)
            if built.step.verdict is not Verdict.accepted:
                said = built.step.stderr_tail.decode("utf-8", "replace")
                raise CacheError(f"language {self.pack.id}: its own program for a cache does not build: {said}")
            return built.files

        return prewarmed(self.plain, self.toolchain, build)

    def command(self, what: str, limits: Limits, more: Sequence[str] = ()) -> tuple[list[str], tuple[str, ...]]:
        """The words of a command of the pack and more, and the folders that it needs beside the system's own."""
        argv = list(self.pack.command(what, limits))
        if more and argv[:2] == ["sh", "-c"]:
            # A shell hands on what follows its text, behind a name for itself.
            argv = ["sh", "-c", argv[2] + ' "$@"', "sh"]
        argv[0], show = resolved(argv[0], self.pack.home, self.pack.folder, self.root)
        # An image shows all that it holds.
        shown = () if self.root and not self.root.startswith("/") else (*self.pack.show, *own_folder(self.pack.folder))
        return [*argv, *more], tuple(dict.fromkeys((*show, *shown)))


def tried(attempt: Callable[[], Built]) -> Built:
    """What was built, tried again in a new agent when ours failed."""
    told = ""
    for _ in range(TRIES):
        try:
            built = attempt()
            if built.step.verdict is not Verdict.internal_error:
                return built
            told = built.step.stderr_tail.decode("utf-8", "replace")
        except (AgentDied, CacheError, OSError) as error:
            told = str(error) or type(error).__name__
    return Built(Step(Verdict.internal_error, stderr_tail=told.encode()[-HEAD:]), ())


def failed(why: str) -> Step:
    """A step that failed through no fault of the candidate."""
    return Step(Verdict.internal_error, stderr_tail=why.encode()[-HEAD:])


def near_limit(step: Step, limits: Limits) -> bool:
    """True when the program ended by itself, beyond its CPU limit but not far."""
    return step.verdict is Verdict.time_limit and not step.killed


def step_of(told: Mapping[str, Any], parts: Sequence[bytes], limits: Limits) -> Step:
    """The agent's raw measures as a step; right or wrong is not known yet."""
    if told["failed"]:
        return not_started(told)
    status = told["status"]
    signal = status & 0x7F if status is not None else 0
    step = Step(
        Verdict.accepted,
        cpu_s=told["cpu_s"],
        wall_s=told["wall_s"],
        peak_memory_bytes=told["peak"],
        output_bytes=told["output_bytes"],
        exit_code=status >> 8 if status is not None and not signal else None,
        signal=signal or None,
        killed=told["killed"],
        measured_by=told["measured_by"],
        stdout_head=parts[0][:HEAD],
        stderr_tail=parts[1],
    )
    return worded(step, judged(step, limits))


def worded(step: Step, word: Verdict) -> Step:
    """The step with that word; most have it already."""
    return step if step.verdict is word else replace(step, verdict=word)


def not_started(told: Mapping[str, Any]) -> Step:
    """A program that lacks what it was to be started by: a toolchain of ours, or a file that its build did not make."""
    word = Verdict.internal_error if told["ours"] else Verdict.runtime_error
    return Step(word, exit_code=None if told["ours"] else 127, stderr_tail=told["failed"].encode())
