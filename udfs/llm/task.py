"""One Spark task that makes calls: what its earlier attempts finished is left out, what it finishes is spooled."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tasklake.udfs.llm.control import BEAT_S, Control
from tasklake.udfs.llm.executor import Executor, Progress
from tasklake.udfs.llm.feed import Feed
from tasklake.udfs.llm.providers import load_provider
from tasklake.udfs.llm.sink import Sink
from tasklake.udfs.llm.terms import Terms
from tasklake.udfs.spool import finished, own_partition, segment_name, store

# What a task tells Spark at its end.
TALLY = pa.schema([("answered", pa.int64()), ("failed", pa.int64()), ("stop", pa.string()), ("why", pa.string())])
TALLY_SCHEMA = "answered bigint, failed bigint, stop string, why string"


@dataclass(frozen=True)
class Place:
    """Where a run's segments and claims lie, and how its responses are stored: by whom they are paid for, too."""

    run: str
    recipe: str
    bucket: str
    spool: str
    control: Control
    schema: pa.Schema = field(repr=False)

    def part(self, partition: int) -> str:
        """What the run and one of its partitions are called in names of files."""
        return f"{self.run}-p{partition}"

    def claim(self, partition: int) -> str:
        """The name of a partition's claim."""
        return f"claim-{self.part(partition)}.json"

    def store(self, partition: int, rows: list[dict[str, Any]]) -> None:
        """The rows are a segment."""
        table = pa.Table.from_pylist([row | {"recipe": self.recipe} for row in rows], schema=self.schema)
        store(table, self.bucket, self.spool, segment_name(len(rows), self.part(partition)))

    def earlier(self, partition: int) -> tuple[set[str], Progress]:
        """The requests that earlier attempts at the partition have settled, and what these attempts have spent.

        The claim tells of them: a task that failed, one on a lost machine, or the original of a speculative copy, which
        may well be alive. Spark's number of the attempt does not: it begins anew when a stage does.
        """
        name = self.claim(partition)
        if not self.control.read(name):
            return set(), Progress()
        self.control.unowned([name])
        claim = self.control.read(name)
        columns = ["request_key", "answered", "calls", "prompt_tokens", "answer_tokens", "cost_usd"]
        rows = finished(self.bucket, self.spool, self.part(partition), columns)
        answered = sum(row["answered"] for row in rows)
        # Each is behind in its own way: segments do not hold what has not ended, a claim is as old as its last beat.
        return {row["request_key"] for row in rows}, Progress(
            answered=answered,
            failed=len(rows) - answered,
            calls=max(claim.get("calls", 0), sum(row["calls"] for row in rows)),
            tokens=max(claim.get("tokens", 0), sum(row["prompt_tokens"] + row["answer_tokens"] for row in rows)),
            usd=max(claim.get("usd", 0), sum(row["cost_usd"] for row in rows)),
        )


def calling(terms: Terms, place: Place) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for mapInArrow that makes the calls of a partition and yields the tally."""

    def over(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        number = own_partition()
        known, spent = place.earlier(number)
        done = asyncio.run(_called(Feed(iter(batches), known), terms, place, number, spent))
        row = {"answered": [done.answered], "failed": [done.failed], "stop": [done.stop], "why": [done.why]}
        yield pa.RecordBatch.from_pydict(row, schema=TALLY)

    return over


async def _called(feed: Feed, terms: Terms, place: Place, partition: int, spent: Progress) -> Progress:
    """The calls are made, and the claim says so while it lasts and at the end."""
    sink = Sink(lambda rows: place.store(partition, rows))
    async with load_provider(terms.provider).open_provider(terms) as ask:
        executor = Executor(terms, partition, ask, sink, place.run, spent)
        pulse = Pulse(executor, place, partition)
        await asyncio.to_thread(pulse.beat)
        beating = asyncio.create_task(pulse.run())
        try:
            return await executor.run(feed)
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
            await asyncio.to_thread(pulse.beat, ended=True)


class Pulse:
    """Renews the claim of an attempt, with what has happened so far, and hears when to stop."""

    def __init__(self, executor: Executor, place: Place, partition: int):
        self.executor = executor
        self.place = place
        self.name = place.claim(partition)
        self.owner = uuid.uuid4().hex
        self.beats = 0

    async def run(self) -> None:
        """Beats until it is cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await asyncio.to_thread(self.beat)
            except OSError as error:
                # Without its storage a task can neither keep what it pays for nor learn that it must stop.
                self.executor.stop("storage", f"the lake's storage cannot be reached: {error}")

    def beat(self, ended: bool = False) -> None:
        """The claim is renewed; a closed fence stops the task."""
        self.beats += 1
        told = {"owner": self.owner, "ended": ended, "beat": self.beats, **self.executor.progress.as_dict()}
        self.place.control.write(self.name, told)
        if not ended and not self.place.control.lets(self.place.run):
            self.executor.stop("fenced", "the run has ended or another one has begun")
