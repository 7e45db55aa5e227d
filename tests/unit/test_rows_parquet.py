"""Parquet is read row by row: a value that cannot be is the refusal of its row, damage that of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasklake.udfs.rows import RawRow, raw_rows

MIB = 1024 * 1024


def read(data: bytes) -> list[RawRow]:
    return list(raw_rows({"name": "rows.parquet", "data": data}, MIB))


def reasons(rows: list[RawRow]) -> list[str | None]:
    return [row.reason for row in rows]


def parquet(path: Path, columns: dict[str, Any]) -> dict[str, str]:
    pq.write_table(pa.table(columns), path)
    return {"name": path.name, "path": str(path)}


def test_parquet_is_read_with_the_types_of_json(tmp_path):
    """A row means the same whatever format it came in: equal values and equal refusals."""
    file = parquet(tmp_path / "rows.parquet", {"n": [1, 2], "x": [0.5, float("nan")], "list": [["a"], []]})
    good, bad = raw_rows(file, MIB)
    assert good.value == {"n": 1, "x": 0.5, "list": ["a"]}
    assert bad.reason == "not_a_number"
    assert (good.line, bad.line) == (1, 2)


def test_a_parquet_row_that_is_too_long_is_refused(tmp_path):
    """The limit of a row holds for every format."""
    file = parquet(tmp_path / "rows.parquet", {"a": ["x", "x" * 5000, "y"]})
    assert reasons(list(raw_rows(file, 1024))) == [None, "row_too_long", None]


def between(wrong: pa.Array) -> pa.Array:
    """120 good values, the wrong one, and 120 good values: more than one batch on each side."""
    good = pa.nulls(120, wrong.type)
    return pa.chunked_array([good, wrong, good])


def text_of(data: bytes) -> pa.Array:
    """The bytes as text, which nobody has looked at."""
    binary = pa.array([data], pa.binary())
    return pa.StringArray.from_buffers(1, *binary.buffers()[1:])


IMPOSSIBLE = {
    "text": (text_of(b"caf\xe9"), "bad_utf8", "byte 0xe9 in position 3"),
    "text of a dictionary": (text_of(b"\xff").dictionary_encode(), "bad_utf8", "0xff"),
    "text in a list": (pa.ListArray.from_arrays([0, 1], text_of(b"\xff")), "bad_utf8", "0xff"),
    "time stamp": (pa.array([2**62]).cast(pa.timestamp("us")), "bad_value", "out of range"),
    "date": (pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), "bad_value", "2147483647"),
    "duration": (pa.array([2**62]).cast(pa.duration("s")), "bad_value", "too large"),
    "time zone": (pa.array([0]).cast(pa.timestamp("us", tz="Nowhere/Land")), "bad_value", "Nowhere/Land"),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_a_parquet_value_that_cannot_be_is_the_refusal_of_its_row(tmp_path, kind):
    """Text that is no UTF-8 and dates beyond the calendar are told with their column; all other rows are read."""
    wrong, reason, said = IMPOSSIBLE[kind]
    rows = list(raw_rows(parquet(tmp_path / "rows.parquet", {"n": list(range(241)), "x": between(wrong)}), MIB))
    assert [row.line for row in rows] == list(range(1, 242))
    assert [row.value for row in rows if row.line != 121] == [{"n": n, "x": None} for n in range(241) if n != 120]
    assert rows[120].reason == reason
    assert rows[120].detail.startswith("column x (")
    assert said in rows[120].detail
    assert rows[120].excerpt == '{"n": 120}'


def test_two_rows_that_cannot_be_converted_have_two_digests(tmp_path):
    """A refused row keeps an identity of its own, which is the same at every reading."""
    columns = {"n": [1, 2, 2], "x": pa.chunked_array([text_of(b"\xff")] * 3)}
    first, second = ([row.digest for row in raw_rows(parquet(tmp_path / "rows.parquet", columns), MIB)] for _ in "ab")
    assert first == second
    assert first[0] != first[1] == first[2]


def test_a_damaged_parquet_file_raises_nothing(tmp_path):
    """Whatever byte is changed, and wherever the file is cut off, the rest are rows and refusals."""
    columns = {"id": list(range(90)), "text": [f"text {n * n}" for n in range(90)], "list": [["a"] * 2] * 90}
    data = Path(parquet(tmp_path / "rows.parquet", columns)["path"]).read_bytes()
    for place in range(0, len(data), 7):
        for each in (data[:place], data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]):
            assert {row.reason for row in read(each)} <= {
                None, "unreadable_file", "bad_utf8", "bad_value"
            }  # fmt: skip


def test_parquet_columns_of_one_name_are_a_refusal_of_the_file(tmp_path):
    """One of the two would be lost without a word."""
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "rows.parquet")
    (row,) = raw_rows({"name": "rows.parquet", "path": str(tmp_path / "rows.parquet")}, MIB)
    assert row.reason == "unreadable_file"
    assert "two columns have one name (a, a)" in row.detail


@pytest.mark.parametrize("data", [b"", b"PAR1", b"this is no parquet file at all", b"PAR1" + b"\x00" * 100 + b"PAR1"])
def test_a_broken_parquet_file_is_one_refusal(data):
    """The reason names the file."""
    (row,) = read(data)
    assert row.reason == "unreadable_file"
    assert "rows.parquet" in row.detail
