"""Runs programs against cases: a pool of warm agents, one per slot; outputs are compared on this side of the wall.

The caller is never forked, for it may have threads: agents are started with vfork and exec, and end with their caller.
"""

from __future__ import annotations

import importlib.resources
import json
import queue
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from tasklake.sandbox_exec.backends import IsolationError, wanted
from tasklake.sandbox_exec.checkers import checker as checker_named
from tasklake.sandbox_exec.languages import SEARCH_PATH, Language, ToolchainMissing, language, toolchain
from tasklake.sandbox_exec.limits import BUILD, Limits
from tasklake.sandbox_exec.verdict import Case, Result, Step, Verdict, overall

# DESIGN §6: our own failure is tried again in a new box before it is told.
TRIES = 3
HEAD = 4096
# The agent ends a step soon after its wall time; a starved machine may take a minute longer.
SILENCE_S = 60.0
# Folders that every box shows anyway; a toolchain elsewhere is shown beside them.
SHOWN = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/")
ENVIRONMENT = {"PATH": SEARCH_PATH, "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "TERM": "dumb"}
KILLED = {
    "cpu": Verdict.time_limit,
    "wall": Verdict.time_limit,
    "memory": Verdict.memory_limit,
    "output": Verdict.output_limit,
}


class AgentDied(Exception):
    """The agent ended in the middle of a step; never reaches a caller of the package."""


class Agent:
    """One warm agent process."""

    def __init__(self, isolated: bool):
        self.scratch = tempfile.mkdtemp(prefix="tasklake-box-")
        # A session of its own: whoever signals the caller's process group, as Spark does to end its workers, would else
        # end the agent before it could tidy up.
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", agent_source(), self.scratch, "isolated" if isolated else "bare"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            start_new_session=True,
        )

    def ask(self, request: Mapping[str, Any], blobs: Sequence[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        """The agent's answer; raises AgentDied when it has none."""
        assert self.process.stdin is not None
        # An agent without a boundary can be stopped by its program; it would never answer.
        watchdog = threading.Timer(request.get("limits", {}).get("wall_s", 0.0) + SILENCE_S, self.process.kill)
        watchdog.daemon = True
        watchdog.start()
        text = json.dumps({**request, "blobs": [len(blob) for blob in blobs]}).encode()
        try:
            self.process.stdin.write(struct.pack(">I", len(text)) + text)
            for blob in blobs:
                self.process.stdin.write(blob)
            self.process.stdin.flush()
            header = json.loads(self._read(struct.unpack(">I", self._read(4))[0]))
            return header, [self._read(size) for size in header.pop("blobs")]
        except (OSError, ValueError) as error:
            raise AgentDied(str(error)) from None
        finally:
            watchdog.cancel()

    def _read(self, size: int) -> bytes:
        assert self.process.stdout is not None
        data = self.process.stdout.read(size)
        if len(data) < size:
            raise AgentDied("the agent ended")
        return data

    def close(self) -> None:
        """The agent, its boxes and its scratch folder are gone."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                try:
                    stream.close()
                except OSError:
                    continue
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


@cache
def agent_source() -> str:
    """One text that holds the agent and its box, so that it runs without this package on its path, even from a zip."""
    package = importlib.resources.files("tasklake.sandbox_exec")
    box, agent = (package.joinpath(name).read_text(encoding="utf-8") for name in ("box.py", "agent.py"))
    return (
        "import sys, types\n"
        "for name in ('tasklake', 'tasklake.sandbox_exec', 'tasklake.sandbox_exec.box'):\n"
        "    sys.modules[name] = types.ModuleType(name)\n"
        f"exec(compile({box!r}, 'box.py', 'exec'), sys.modules['tasklake.sandbox_exec.box'].__dict__)\n"
        "sys.modules['tasklake.sandbox_exec'].box = sys.modules['tasklake.sandbox_exec.box']\n"
        f"exec(compile({agent!r}, 'agent.py', 'exec'))\n"
    )


@cache
def usable(isolated: bool) -> bool:
    """True when such a box can be made here: tried with a program that does nothing."""
    agent = Agent(isolated)
    try:
        agent.ask({"op": "program", "program": "probe", "names": []}, [])
        told, _ = agent.ask(_step("probe", ["/bin/true"], Limits(), build=False, system=()), [b""])
        return bool(told["failed"] == "" and told["status"] == 0)
    except AgentDied:
        return False
    finally:
        agent.close()


def backend_for(isolation: str) -> ModuleType:
    """The strongest backend that works here and satisfies what is asked for."""
    for module in wanted(isolation):
        if usable(module.ISOLATED):
            return module
    raise IsolationError(f"isolation {isolation} is asked for, but no such level works here; see `tasklake doctor`")


def isolation_level() -> str:
    """The strongest level that works here."""
    return str(backend_for("any").NAME)


def _step(program: str, argv: Sequence[str], limits: Limits, *, build: bool, system: Sequence[str]) -> dict[str, Any]:
    told = asdict(limits) | {"wall_s": limits.wall}
    common = {"environment": ENVIRONMENT, "system": list(system), "build": build, "limits": told}
    return {"op": "step", "program": program, "argv": list(argv), **common}


class Pool:
    """A number of slots, each with a warm agent; usable from several threads at once."""

    def __init__(self, slots: int = 1, isolation: str = "any"):
        self.backend = backend_for(isolation)
        self.idle: queue.Queue[Agent | None] = queue.Queue()
        for _ in range(slots):
            self.idle.put(None)
        self.slots = slots

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """No agent and no process of a program is left."""
        for _ in range(self.slots):
            agent = self.idle.get()
            if agent is not None:
                agent.close()
            self.idle.put(None)

    def run(
        self, program: str | bytes, pack: Language | str, cases: Sequence[Case], limits: Limits | None = None, *,
        checker: str = "lines", stop_at_first_failure: bool = False,
    ) -> Result:  # fmt: skip
        """What the program showed: built once, then run on every case in a box of its own."""
        pack = language(pack) if isinstance(pack, str) else pack
        work = Work(self, pack, program.encode() if isinstance(program, str) else program, limits or Limits())
        work.right = checker_named(checker)
        agent = self.idle.get()
        try:
            result, agent = work.done(agent, cases, stop_at_first_failure)
        finally:
            self.idle.put(agent)
        return result


class Work:
    """One program on its way through a slot."""

    def __init__(self, pool: Pool, pack: Language, program: bytes, limits: Limits):
        self.backend = pool.backend
        self.pack, self.program = pack, program
        self.limits = limits.scaled(pack.limit_factors)
        self.right = checker_named("lines")
        self.toolchain = toolchain(pack)
        self.agent: Agent | None = None
        self.build: Step | None = None

    def done(self, agent: Agent | None, cases: Sequence[Case], stop: bool) -> tuple[Result, Agent | None]:
        """The result, and the agent for the next program."""
        self.agent = agent
        steps: list[Step] = []
        build = self.tried(self.built)
        for case in cases:
            if build.verdict is not Verdict.accepted or (stop and steps and steps[-1].verdict is not Verdict.accepted):
                steps += [Step(Verdict.skipped)] * (build.verdict is Verdict.accepted)
                continue
            steps.append(self.tried(lambda case=case: self.judged(case)))
        self.drop()
        verdict = overall(build.verdict, [step.verdict for step in steps])
        level, unheld = self.backend.NAME, tuple(self.backend.UNENFORCED)
        result = Result(verdict, build, tuple(steps), level, unheld, self.pack.id, self.toolchain)
        return result, self.agent

    def tried(self, attempt: Any) -> Step:
        """The step, tried again in a new agent when ours failed."""
        told = "the agent could not be started"
        for _ in range(TRIES):
            try:
                if self.agent is None:
                    self.agent, self.build = Agent(self.backend.ISOLATED), None
                step: Step = attempt()
                if step.verdict is not Verdict.internal_error:
                    return step
                told = step.stderr_tail.decode("utf-8", "replace")
            except (AgentDied, OSError) as error:
                told = str(error) or type(error).__name__
            self.renew()
        return Step(Verdict.internal_error, stderr_tail=told.encode()[-HEAD:])

    def renew(self) -> None:
        """The next try starts with a new agent and a new build."""
        if self.agent is not None:
            self.agent.close()
        self.agent, self.build = None, None

    def drop(self) -> None:
        """The agent keeps nothing of the program."""
        if self.agent is not None and self.build is not None:
            try:
                self.agent.ask({"op": "drop", "program": "0"}, [])
            except AgentDied:
                self.renew()

    def built(self) -> Step:
        """The program's files are with the agent, compiled where the language is."""
        assert self.agent is not None
        self.agent.ask({"op": "program", "program": "0", "names": [self.pack.filename]}, [self.program])
        step = Step(Verdict.accepted)
        if self.pack.compile:
            limits = BUILD.scaled(self.pack.limit_factors)
            told, parts = self.ask("compile", limits, build=True, stdin=b"")
            step = step_of(told, parts)
            if step.verdict in (Verdict.time_limit, Verdict.memory_limit, Verdict.output_limit):
                step = step_with(step, Verdict.compile_limit)
            elif step.verdict is Verdict.runtime_error:
                step = step_with(step, Verdict.compile_error)
        self.build = step
        return step

    def judged(self, case: Case) -> Step:
        """What the program made of the case; the expected output is looked at here and nowhere else."""
        if self.build is None:
            self.built()
        told, parts = self.ask("execute", self.limits, build=False, stdin=case.input)
        step = step_of(told, parts)
        if step.verdict is Verdict.accepted and not self.right(case.output, parts[0]):
            return step_with(step, Verdict.wrong_answer)
        return step

    def ask(self, what: str, limits: Limits, *, build: bool, stdin: bytes) -> tuple[dict[str, Any], list[bytes]]:
        """The agent's word on one command of the pack."""
        assert self.agent is not None
        argv = list(self.pack.command(what))
        argv[0], shown = resolved(argv[0])
        return self.agent.ask(_step("0", argv, limits, build=build, system=shown), [stdin])


def resolved(command: str) -> tuple[str, tuple[str, ...]]:
    """The command's path, and the folder that a box has to show for it beyond the system's own."""
    if "/" in command:
        return command, ()
    found = shutil.which(command, path=SEARCH_PATH) or shutil.which(command)
    if found is None:
        raise ToolchainMissing(f"command {command} is not on this machine")
    real = str(Path(found).resolve())
    return (found, ()) if real.startswith(SHOWN) else (real, (str(Path(real).parent.parent),))


def step_of(told: Mapping[str, Any], parts: Sequence[bytes]) -> Step:
    """The agent's raw measures as a step; right or wrong is not known yet."""
    status = told["status"]
    verdict = KILLED.get(told["killed"])
    signal = status & 0x7F if status is not None else 0
    code = status >> 8 if status is not None and not signal else None
    if verdict is None:
        verdict = Verdict.accepted if status == 0 else Verdict.runtime_error
    if told["failed"]:
        verdict, parts = Verdict.internal_error, [b"", str(told["failed"]).encode()]
    return Step(
        verdict,
        cpu_s=told["cpu_s"],
        wall_s=told["wall_s"],
        peak_memory_bytes=told["peak_memory_bytes"],
        output_bytes=told["output_bytes"],
        exit_code=code,
        signal=signal or None,
        measured_by=told["measured_by"],
        stdout_head=parts[0][:HEAD],
        stderr_tail=parts[1],
    )


def step_with(step: Step, verdict: Verdict) -> Step:
    """The step with another word."""
    return Step(**{**{name: getattr(step, name) for name in step.__dataclass_fields__}, "verdict": verdict})


def run(
    program: str | bytes, pack: Language | str, cases: Sequence[Case], limits: Limits | None = None, *,
    checker: str = "lines", stop_at_first_failure: bool = False,
) -> Result:  # fmt: skip
    """What the program showed, in a pool of its own."""
    with Pool() as pool:
        return pool.run(program, pack, cases, limits, checker=checker, stop_at_first_failure=stop_at_first_failure)
