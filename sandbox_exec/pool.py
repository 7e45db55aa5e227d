"""Runs programs against cases: a pool of slots with warm agents; outputs are compared on this side of the wall.

The caller is never forked, for it may have threads: agents are started with vfork and exec, and end with their caller.
"""

from __future__ import annotations

import asyncio
import os
import queue
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from types import ModuleType, TracebackType

from tasklake.sandbox_exec.artefacts import Artefacts
from tasklake.sandbox_exec.channel import Agent, AgentDied, Kind, Zygote
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import Language, language
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.probing import backend_for
from tasklake.sandbox_exec.special import CheckerProgram
from tasklake.sandbox_exec.testing import judge_of
from tasklake.sandbox_exec.turns import Turns
from tasklake.sandbox_exec.verdict import Case, Result

# Agents that a slot keeps warm: one that builds, one that runs, and those of a few other limits and zygotes.
KEPT_AGENTS = 8


class Slot:
    """The warm agents that one program at a time can use."""

    def __init__(self, backend: ModuleType, off: tuple[str, ...]) -> None:
        self.backend, self.off = backend, off
        self.agents: OrderedDict[Kind, Agent] = OrderedDict()
        # Zygotes that cannot be had, and why: their programs are started instead.
        self.without: dict[Zygote, str] = {}

    def agent(
        self, limits: Limits, *, role: str, show: tuple[str, ...], root: str = "", zygote: Zygote | None = None
    ) -> Agent:
        """An agent that runs commands under such limits, warm where there is one, with a zygote where it can be had."""
        kind = Kind.of(self.backend, limits, role=role, show=show, root=root, off=self.off)
        if zygote is not None and zygote not in self.without:
            try:
                return self.kept(replace(kind, zygote=zygote))
            except AgentDied as error:
                self.without[zygote] = str(error)
        return self.kept(kind)

    def kept(self, kind: Kind) -> Agent:
        """The agent of that kind, warm where there is one."""
        found = self.agents.get(kind)
        if found is not None and found.unforked:
            raise AgentDied("its zygote does not fork")
        if found is None or found.lost:
            if found is not None:
                self.agents.pop(kind).close()
            while len(self.agents) >= getattr(self.backend, "KEPT_AGENTS", KEPT_AGENTS):
                self.agents.popitem(last=False)[1].close()
            self.agents[kind] = Agent(kind)
        self.agents.move_to_end(kind)
        return self.agents[kind]

    def close(self) -> None:
        """No agent is left."""
        while self.agents:
            self.agents.popitem()[1].close()


class Pool:
    """A number of slots; usable from several threads, from asyncio, and for many programs at once."""

    def __init__(self, slots: int = 1, isolation: str = "any", *, off: tuple[str, ...] = ()):
        self.backend = backend_for(isolation)
        self.slots = slots
        self.turns = Turns()
        self.artefacts = Artefacts()
        self.idle: queue.Queue[Slot] = queue.Queue()
        for _ in range(slots):
            self.idle.put(Slot(self.backend, off))
        self.threads = ThreadPoolExecutor(slots, thread_name_prefix="tasklake-slot")

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """No agent and no process of a program is left."""
        self.threads.shutdown(cancel_futures=True)
        slots = [self.idle.get() for _ in range(self.slots)]
        for slot in slots:
            slot.close()
            self.idle.put(slot)

    def run(
        self, program: str | bytes, pack: Language | str, cases: Sequence[Case], limits: Limits | None = None, *,
        checker: str | CheckerProgram = "lines", run_all: bool = True,
    ) -> Result:  # fmt: skip
        """What the program showed: built once, then run on every case in a clean box, or up to the first failure."""
        return self.done(Job(program, pack, cases, limits or Limits(), checker), run_all=run_all)

    def done(self, job: Job, *, run_all: bool = True) -> Result:
        """What the job's program showed."""
        pack = language(job.language) if isinstance(job.language, str) else job.language
        judge = judge_of(self, pack, job)
        slot = self.idle.get()
        try:
            with self.turns.shared():
                return judge(slot, run_all=run_all)
        finally:
            self.idle.put(slot)

    async def arun(self, job: Job, *, run_all: bool = True) -> Result:
        """What the job's program showed, for callers with an event loop of their own."""
        return await asyncio.wrap_future(self.submit(job, run_all=run_all))

    def submit(self, job: Job, *, run_all: bool = True) -> Future[Result]:
        """A future of what the job's program showed."""
        return self.threads.submit(self.done, job, run_all=run_all)

    def each(self, jobs: Iterable[Job], *, run_all: bool = True) -> Iterator[tuple[int, Result]]:
        """Every job's number and result, as they come; all slots are busy, and jobs are taken as they are needed."""
        for number, future in self.ended(jobs, run_all=run_all):
            yield number, future.result()

    def ended(self, jobs: Iterable[Job], *, run_all: bool = True) -> Iterator[tuple[int, Future[Result]]]:
        """As `each`, for callers who go on where a job cannot be run: its future tells why."""
        numbered = enumerate(jobs)
        running: dict[Future[Result], int] = {}
        try:
            while True:
                for number, job in islice(numbered, 2 * self.slots - len(running)):
                    running[self.submit(job, run_all=run_all)] = number
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future
        finally:
            for future in running:
                future.cancel()


def run(
    program: str | bytes, pack: Language | str, cases: Sequence[Case], limits: Limits | None = None, *,
    checker: str | CheckerProgram = "lines", run_all: bool = True,
) -> Result:  # fmt: skip
    """What the program showed, in a pool of its own."""
    with Pool() as pool:
        return pool.run(program, pack, cases, limits, checker=checker, run_all=run_all)


def cores() -> int:
    """How many programs can really run at once here."""
    return len(os.sched_getaffinity(0))
