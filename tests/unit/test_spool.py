"""What a worker finished is on storage soon, in whole files, and counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasklake.jobs.lake import LakeUri
from tasklake.udfs import spool
from tasklake.udfs.spool import KEPT_ROWS, SEGMENT_S, Measure, Segment, direct, spooled

SCHEMA = pa.schema([("n", pa.int64()), ("text", pa.string())])


@contextmanager
def doubling() -> Iterator[Measure]:
    """Each row becomes two."""

    def double(row):
        yield {"n": row["n"], "text": "first"}
        yield {"n": row["n"], "text": "second"}

    yield double


@contextmanager
def failing() -> Iterator[Measure]:
    """The task dies two rows behind its first segment."""

    def fail(row):
        if row["n"] == KEPT_ROWS + 2:
            raise MemoryError("the worker died")
        yield {"n": row["n"], "text": ""}

    yield fail


def batches(*sizes: int) -> Iterator[pa.RecordBatch]:
    start = 0
    for size in sizes:
        yield pa.RecordBatch.from_pydict({"n": list(range(start, start + size))})
        start += size


def segments(folder: Path) -> list[Path]:
    return [Path(file.path) for file in LakeUri.parse(str(folder)).files(".parquet")]


def rows(folder: Path) -> list[int]:
    return sorted(n for path in segments(folder) for n in pq.read_table(path).column("n").to_pylist())


def tally(folder: Path, opened=doubling, keep: str | None = "n", sizes=(3, 2)) -> list[int]:
    function = spooled(opened, "", str(folder), SCHEMA, keep)
    return [row["rows"] for batch in function(batches(*sizes)) for row in batch.to_pylist()]


def test_a_full_segment_is_closed(tmp_path):
    """A kill loses at most one open segment: it is closed at the agreed number of rows."""
    segment = Segment("", str(tmp_path), SCHEMA, 3)
    for n in range(2):
        segment.add({"n": n, "text": ""})
    assert not segments(tmp_path)
    segment.add({"n": 2, "text": ""})
    assert rows(tmp_path) == [0, 1, 2]


def test_an_old_segment_is_closed(tmp_path):
    """Slow rows are not held back until the segment is full."""
    segment = Segment("", str(tmp_path), SCHEMA, 1000)
    segment.add({"n": 0, "text": ""})
    assert not segments(tmp_path)
    segment.opened -= SEGMENT_S
    segment.add({"n": 1, "text": ""})
    assert rows(tmp_path) == [0, 1]


def test_the_next_segment_starts_empty_and_young(tmp_path):
    """Closing a segment begins another one."""
    segment = Segment("", str(tmp_path), SCHEMA, 2)
    for n in range(5):
        segment.add({"n": n, "text": ""})
    assert len(segments(tmp_path)) == 2
    segment.close()
    assert rows(tmp_path) == list(range(5))
    assert segment.written == 5


def test_closing_an_empty_segment_writes_no_file(tmp_path):
    """A task without rows leaves nothing behind."""
    Segment("", str(tmp_path), SCHEMA, 2).close()
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_segment_tells_how_many_rows_it_has(tmp_path):
    """Progress is read from names alone."""
    tally(tmp_path)
    counts = {
        path.name: int(re.fullmatch(r"seg-(\d+)-p0-[0-9a-f]+\.parquet", path.name)[1]) for path in segments(tmp_path)
    }
    assert counts == {path.name: pq.read_metadata(path).num_rows for path in segments(tmp_path)}


def test_a_half_written_file_is_never_seen(tmp_path, monkeypatch):
    """A kill in the middle of writing leaves a hidden file that no reader opens, here or in Spark."""

    def half(table, where, **more):
        Path(where).write_bytes(b"PAR1 and then the machine stopped")
        raise OSError("no space left on device")

    # Parquet's writer is not ours: it stands for a machine that stops while it writes.
    monkeypatch.setattr(spool.pq, "write_table", half)
    with pytest.raises(OSError, match="no space"):
        tally(tmp_path)
    assert segments(tmp_path) == []
    left = [path.name for path in tmp_path.iterdir()]
    assert left
    assert all(name.startswith(".") for name in left), "Spark and LakeUri leave out what begins with a dot"


def test_a_task_yields_how_many_rows_it_spooled(tmp_path):
    """The tally counts what the measure made, over all batches."""
    assert tally(tmp_path) == [10]
    assert rows(tmp_path) == sorted([0, 1, 2, 3, 4] * 2)


def test_a_task_without_rows_yields_a_tally_of_none(tmp_path):
    """An empty partition is counted as nothing and writes nothing."""
    assert tally(tmp_path, sizes=()) == [0]
    assert segments(tmp_path) == []


def test_a_task_that_dies_keeps_the_segments_that_were_closed(tmp_path):
    """Closed segments outlive the task: the retry finds their rows."""
    with pytest.raises(MemoryError):
        tally(tmp_path, failing, sizes=(2 * KEPT_ROWS,))
    assert rows(tmp_path) == list(range(KEPT_ROWS))


def test_a_task_that_is_begun_again_measures_only_what_no_segment_holds(tmp_path):
    """Whatever number Spark gives the attempt: 0 again where a lost executor made it begin the whole stage anew."""
    with pytest.raises(MemoryError):
        tally(tmp_path, failing, sizes=(2 * KEPT_ROWS,))
    seen: list[int] = []

    @contextmanager
    def noting() -> Iterator[Measure]:
        yield lambda row: iter([{"n": seen.append(row["n"]) or row["n"], "text": ""}])

    tally(tmp_path, noting, sizes=(2 * KEPT_ROWS,))
    assert seen == list(range(KEPT_ROWS, 2 * KEPT_ROWS))
    assert rows(tmp_path) == list(range(2 * KEPT_ROWS))


def test_what_only_passes_through_is_kept_in_large_segments(tmp_path):
    """Rows that cost nothing to make again are not written in small files."""
    tally(tmp_path, keep=None, sizes=(4 * KEPT_ROWS,))
    assert len(segments(tmp_path)) == 1


def test_the_measure_is_opened_once_per_task(tmp_path):
    """What a task needs, a pool of boxes or a client, is opened once and closed with the task."""
    seen: list[str] = []

    @contextmanager
    def opened() -> Iterator[Measure]:
        seen.append("open")
        yield lambda row: iter([{"n": row["n"], "text": ""}])
        seen.append("close")

    tally(tmp_path, opened, sizes=(1, 1, 1))
    assert seen == ["open", "close"]


def test_direct_stores_nothing(tmp_path, monkeypatch):
    """A measure that is only looked at leaves no file."""
    monkeypatch.chdir(tmp_path)
    made = [row for batch in direct(doubling, SCHEMA)(batches(2)) for row in batch.to_pylist()]
    assert [row["n"] for row in made] == [0, 0, 1, 1]
    assert list(tmp_path.iterdir()) == []
