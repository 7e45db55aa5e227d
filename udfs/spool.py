"""What workers have finished, kept in small Parquet segments on the lake's storage until it is in a table.

A measure (one row in, some rows out) that costs money or runs programs is spooled: each task closes a segment every two
seconds or eight rows, so a killed driver, worker or executor loses at most what was in flight plus one open segment,
and a task that Spark begins again finds its rows by key. Object stores cannot append, hence segments.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from tasklake.udfs.storage import bucket_system

Row = dict[str, Any]
Measure = Callable[[Mapping[str, Any]], Iterator[Row]]
# Opens what a task needs once (a pool of boxes, a client) and closes it with the task.
OpenMeasure = Callable[[], AbstractContextManager[Measure]]

# A segment is closed after so many rows or seconds: the most that a kill can lose per task. Rows that cost money or a
# run of a program are few per second, so small segments cost them nothing; the others only pass through.
KEPT_ROWS = 8
PASSING_ROWS = 512
SEGMENT_S = 2.0
# What a spooling task tells Spark: how many rows it finished.
TALLY = pa.schema([("rows", pa.int64())])


class Segment:
    """Rows of one part of the work on their way to storage."""

    def __init__(self, bucket: str, folder: str, schema: pa.Schema, most: int, part: str = "p0"):
        self.most = most
        self.part = part
        self.bucket = bucket
        self.folder = folder
        self.schema = schema
        self.rows: list[Row] = []
        self.opened = time.monotonic()
        self.written = 0

    def add(self, row: Row) -> None:
        """The row is on its way; the segment is closed when it is full or old."""
        self.rows.append(row)
        if len(self.rows) >= self.most or time.monotonic() - self.opened >= SEGMENT_S:
            self.close()

    def close(self) -> None:
        """All rows so far are on storage under a name that tells their count; a half-written file is never seen."""
        if self.rows:
            table = pa.Table.from_pylist(self.rows, schema=self.schema)
            store(table, self.bucket, self.folder, segment_name(len(self.rows), self.part))
            self.written += len(self.rows)
        self.rows, self.opened = [], time.monotonic()


def segment_name(rows: int, part: str) -> str:
    """A name that tells how many rows the segment has and of which part of the work, and that nobody has used."""
    return f"seg-{rows}-{part}-{uuid.uuid4().hex}.parquet"


def store(table: pa.Table, bucket: str, folder: str, name: str) -> None:
    """The table is a file of that name, complete from the moment it appears."""
    if bucket:
        # An object appears when its upload ends.
        pq.write_table(table, f"{bucket}/{folder}/{name}", filesystem=bucket_system(bucket))
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    hidden = Path(folder) / f".{name}"
    pq.write_table(table, hidden)
    hidden.rename(Path(folder) / name)


def finished(bucket: str, folder: str, part: str, columns: list[str]) -> list[Row]:
    """These columns of all rows that lie in segments of a part of the work."""
    system = bucket_system(bucket) if bucket else fs.LocalFileSystem()
    place = f"{bucket}/{folder}" if bucket else folder
    found = system.get_file_info(fs.FileSelector(place, allow_not_found=True))
    ours = re.compile(rf"seg-\d+-{re.escape(part)}-\w+\.parquet")
    names = [each.path for each in found if ours.fullmatch(each.base_name)]
    return [row for name in names for row in pq.read_table(name, columns=columns, filesystem=system).to_pylist()]


def own_partition() -> int:
    """The number of the partition that this task works at; 0 outside of Spark."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.partitionId() if context else 0


def spooled(
    open_measure: OpenMeasure, bucket: str, folder: str, schema: pa.Schema, keep: str | None
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for mapInArrow that spools what the measure makes of every row and yields the tally.

    With `keep`, the column that tells rows apart, segments are small, and a task that is begun again, because its
    worker was killed or its executor lost, leaves out the rows that an earlier attempt had stored. Segments are asked
    for these: Spark counts attempts anew with every attempt at a stage.
    """

    def over(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        part = f"p{own_partition()}"
        segment = Segment(bucket, folder, schema, KEPT_ROWS if keep else PASSING_ROWS, part)
        done = {row[keep] for row in finished(bucket, folder, part, [keep])} if keep else frozenset()
        with open_measure() as measure:
            for batch in batches:
                for row in batch.to_pylist():
                    if keep and row[keep] in done:
                        continue
                    for made in measure(row):
                        segment.add(made)
        segment.close()
        yield pa.RecordBatch.from_pydict({"rows": [segment.written]}, schema=TALLY)

    return over


def direct(
    open_measure: OpenMeasure, schema: pa.Schema
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for mapInArrow that yields what the measure makes of every row: for looking, nothing is stored."""

    def over(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with open_measure() as measure:
            for batch in batches:
                made = [new for row in batch.to_pylist() for new in measure(row)]
                yield from pa.Table.from_pylist(made, schema=schema).to_batches()

    return over
