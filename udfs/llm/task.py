"""One Spark task that makes calls: what its earlier attempts finished is left out, what it finishes is spooled."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from tasklake.udfs.llm.control import BEAT_S, Control
from tasklake.udfs.llm.executor import Executor, Progress
from tasklake.udfs.llm.feed import Feed
from tasklake.udfs.llm.providers import load_provider
from tasklake.udfs.llm.sink import Sink
from tasklake.udfs.llm.terms import Terms
from tasklake.udfs.spool import store
from tasklake.udfs.storage import bucket_system

# What a task tells Spark at its end.
TALLY = pa.schema([("answered", pa.int64()), ("failed", pa.int64()), ("stop", pa.string()), ("why", pa.string())])
TALLY_SCHEMA = "answered bigint, failed bigint, stop string, why string"


@dataclass(frozen=True)
class Place:
    """Where a run's segments and claims lie, and how its responses are stored."""

    run: str
    bucket: str
    spool: str
    control: Control
    schema: pa.Schema = field(repr=False)

    def claim(self, partition: int) -> str:
        """The name of a partition's claim."""
        return f"claim-{self.run}-{partition}.json"

    def store(self, partition: int, rows: list[dict[str, Any]]) -> None:
        """The rows are a segment."""
        table = pa.Table.from_pylist(rows, schema=self.schema)
        store(table, self.bucket, self.spool, f"seg-{len(rows)}-{self.run}-p{partition}-{uuid.uuid4().hex}.parquet")

    def finished(self, partition: int) -> set[str]:
        """The requests that segments of the partition tell of."""
        system = bucket_system(self.bucket) if self.bucket else pafs.LocalFileSystem()
        where = f"{self.bucket}/{self.spool}" if self.bucket else self.spool
        infos = system.get_file_info(pafs.FileSelector(where, allow_not_found=True))
        ours = re.compile(rf"seg-\d+-{re.escape(self.run)}-p{partition}-\w+\.parquet")
        keys: set[str] = set()
        for info in infos:
            if ours.fullmatch(info.base_name):
                keys |= set(pq.read_table(info.path, columns=["request_key"], filesystem=system)[0].to_pylist())
        return keys


def calling(terms: Terms, place: Place) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for mapInArrow that makes the calls of a partition and yields the tally."""

    def over(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        context = TaskContext.get()
        partition, attempt = (context.partitionId(), context.attemptNumber()) if context else (0, 0)
        known: set[str] = set()
        if attempt:
            # Somebody else had this partition: a task that failed, one on a lost machine, or the original of a
            # speculative copy, which may well be alive.
            place.control.unowned([place.claim(partition)])
            known = place.finished(partition)
        done = asyncio.run(_called(Feed(iter(batches), known), terms, place, partition))
        row = {"answered": [done.answered], "failed": [done.failed], "stop": [done.stop], "why": [done.why]}
        yield pa.RecordBatch.from_pydict(row, schema=TALLY)

    return over


async def _called(feed: Feed, terms: Terms, place: Place, partition: int) -> Progress:
    """The calls are made, and the claim says so while it lasts and at the end."""
    sink = Sink(lambda rows: place.store(partition, rows))
    async with load_provider(terms.provider).open_provider(terms) as ask:
        executor = Executor(terms, partition, ask, sink, place.run)
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
