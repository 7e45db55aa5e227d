"""A corpus is read row by row: what is wrong with a row becomes its reason, and its neighbours are unharmed."""

from __future__ import annotations

import contextlib
import gzip
import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasklake.udfs.rows import EXCERPT, RawRow, RowError, checked, fits, parse_object, raw_rows

MIB = 1024 * 1024
GOOD = b'{"a": 1}'


def read(data: bytes, name: str = "rows.jsonl", max_bytes: int = MIB) -> list[RawRow]:
    return list(raw_rows({"name": name, "data": data}, max_bytes))


def reasons(rows: list[RawRow]) -> list[str | None]:
    return [row.reason for row in rows]


def only(data: bytes, **more: Any) -> RawRow:
    """The row in the middle of two good ones, which must be unharmed."""
    before, row, after = read(GOOD + b"\n" + data + b"\n" + GOOD + b"\n", **more)
    assert before.value == after.value == {"a": 1}
    assert (before.line, row.line, after.line) == (1, 2, 3)
    return row


def test_a_row_keeps_its_line_and_the_digest_of_its_bytes():
    """Equal bytes have equal digests wherever they stand; blanks around them do not count."""
    one, two, three = read(b'{"a": 1}\n  {"a": 1}\t\r\n{"a": 2}\n')
    assert (one.line, two.line, three.line) == (1, 2, 3)
    assert one.digest == two.digest != three.digest
    assert one.value == {"a": 1}
    assert one.reason is None


def test_a_truncated_last_line_is_refused_and_the_rows_before_it_are_read():
    """A download that broke off loses its last row, told with its line and its beginning."""
    good, cut = read(b'{"a": 1}\n{"a": "the end is miss')
    assert good.reason is None
    assert cut.reason == "bad_json"
    assert "truncated" in cut.detail
    assert cut.excerpt == '{"a": "the end is miss'


def test_a_last_line_without_a_newline_is_a_row():
    """Many writers leave the last newline out."""
    assert reasons(read(b'{"a": 1}\n{"a": 2}')) == [None, None]


def test_bad_utf8_is_refused():
    """Bytes that are no text are told by their place."""
    row = only(b'{"a": "caf\xe9"}')
    assert row.reason == "bad_utf8"
    assert "byte 10" in row.detail
    row.excerpt.encode("utf-8")


@pytest.mark.parametrize("text", [r"\ud83d", r"\uDE00", r"\ude00\ud83d", r"x\ud800y"])
def test_half_of_a_surrogate_pair_is_refused(text):
    """JSON allows it, no table can store it."""
    assert only(b'{"a": "%s"}' % text.encode()).reason == "bad_utf8"
    assert only(b'{"%s": 1}' % text.encode()).reason == "bad_utf8"


def test_a_whole_surrogate_pair_is_text():
    """An emoji may be spelled in escapes; an escaped backslash before `ud83d` is no escape."""
    assert only(rb'{"a": "\ud83d\ude00"}').value == {"a": "\U0001f600"}
    assert only(rb'{"a": "\\ud83d"}').value == {"a": r"\ud83d"}


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_is_refused(word):
    """Python's reader would let it through, nothing behind it would."""
    row = only(b'{"a": [1, %s]}' % word.encode())
    assert row.reason == "not_a_number"
    assert word in row.detail


@pytest.mark.parametrize("data", [b"[1]", b'"text"', b"1", b"null", b"true"])
def test_a_row_that_is_no_object_is_refused(data):
    """A row has named columns."""
    row = only(data)
    assert row.reason == "bad_json"
    assert "must be a JSON object" in row.detail


@pytest.mark.parametrize("data", [b"{", b"a: 1", b"{'a': 1}", b'{"a": 1}{"a": 2}', b"\x00", b"\xef\xbb\xbf{}"])
def test_what_is_not_json_is_refused(data):
    """Every other line is read on."""
    assert only(data).reason == "bad_json"


@pytest.mark.parametrize(
    "data", [b"[" * 200_000, b'{"a":' * 200_000, b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"]
)
def test_deep_nesting_is_refused(data):
    """A row nested beyond any honest one does not end the task."""
    assert only(data).reason == "bad_json"


def test_any_depth_of_nesting_is_read_or_refused():
    """Around the depth where readers give up, and with an escape that is looked at again, nothing is raised."""
    limit = sys.getrecursionlimit()
    for depth in range(limit - 120, limit + 20, 5):
        data = rb'{"a": "\ud83d\ude00", "b": ' + b"[" * depth + b"]" * depth + b"}"
        assert only(data).reason in (None, "bad_json")


def test_a_number_too_long_to_convert_is_refused():
    """Python refuses whole numbers of more digits; it is the row's fault, not the task's."""
    assert only(b'{"a": ' + b"9" * 10_000 + b"}").reason == "bad_json"


@pytest.mark.parametrize("data", [b"", b"\n\n", b"  \n\t\r\n"])
def test_an_empty_file_has_no_rows(data):
    """Nothing in it is no fault of a row."""
    assert read(data) == []


def test_blank_lines_are_no_rows_and_keep_the_count_of_lines():
    """The line that is told is the one that an editor shows."""
    assert [row.line for row in read(b'\n{"a": 1}\n   \n\r\n{"a": 2}\n')] == [2, 5]


def test_a_row_just_within_the_limit_is_read():
    """The limit is the longest row that is read."""
    data = b'{"a": "' + b"x" * 91 + b'"}'
    assert only(data, max_bytes=len(data)).reason is None
    assert only(data, max_bytes=len(data) - 1).reason == "row_too_long"


def huge_file(path: Path, opened: Any) -> Path:
    """Three rows, the middle one with a field of 50 MB."""
    with opened(path, "wb") as stream:
        stream.write(GOOD + b'\n{"a": "')
        for _ in range(50):
            stream.write(b"y" * 1_000_000)
        stream.write(b'"}\n' + GOOD + b"\n")
    return path


@pytest.mark.parametrize(("name", "opened"), [("rows.jsonl", open), ("rows.jsonl.gz", gzip.open)])
def test_a_field_of_50_mb_is_refused_in_bounded_memory(tmp_path, name, opened):
    """The row is skipped piece by piece: memory stays near the limit, and the rows around it are read."""
    path = huge_file(tmp_path / name, opened)
    tracemalloc.start()
    try:
        rows = list(raw_rows({"name": name, "path": str(path)}, MIB))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reasons(rows) == [None, "row_too_long", None]
    assert [row.line for row in rows] == [1, 2, 3]
    assert "50,000,010 bytes" in rows[1].detail
    assert "max_row_bytes = 1,048,576" in rows[1].detail
    assert peak < 10 * MIB


def test_two_overlong_rows_with_one_beginning_have_two_digests():
    """A row that is too long still has an identity: its beginning and its size."""
    data = b"".join(b'{"a": "' + b"x" * n + b'"}\n' for n in (300, 400))
    one, two = read(data, max_bytes=100)
    assert one.digest != two.digest


def test_an_excerpt_is_short_and_can_be_printed():
    """Thousands of refused rows can be listed."""
    row = only(b'{"a": "\x00\xff' + b"z" * 10_000)
    assert row.reason == "bad_utf8"
    assert len(row.excerpt) <= EXCERPT
    assert "\x00" not in row.excerpt


def test_a_gzipped_file_is_read():
    """Corpora come compressed."""
    assert [row.value for row in read(gzip.compress(GOOD + b"\n" + GOOD), "rows.jsonl.gz")] == [{"a": 1}] * 2


def damaged(data: bytes) -> Iterator[bytes]:
    """A gzipped file cut off at several places, and with a byte changed at each place of its head and of its body."""
    packed = gzip.compress(data)
    yield from (packed[:cut] for cut in (1, 9, 15, len(packed) // 2, len(packed) - 4))
    for place in (0, 1, 2, 3, 12, 20, len(packed) // 2, len(packed) - 6):
        yield packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :]


def test_a_damaged_gzip_is_told_after_the_rows_before_the_damage():
    """Whatever is wrong with the compressed stream, the file is one refusal and no exception."""
    data = b"".join(json.dumps({"n": n, "text": f"{n * n:x}" * 9}).encode() + b"\n" for n in range(300))
    for each in damaged(data):
        rows = read(each, "rows.jsonl.gz")
        assert [row for row in rows if row.reason == "unreadable_file" and "rows.jsonl.gz" in row.detail]


def test_a_json_array_is_read_as_rows():
    """Each element is a row with its place."""
    rows = read(b' [{"a": 1}, 2, {"a": NaN}, {"a": "\\ud800"}]', "rows.json")
    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert reasons(rows) == [None, "bad_json", "not_a_number", "bad_utf8"]
    assert rows[0].value == {"a": 1}


@pytest.mark.parametrize("data", [b'[{"a": 1}, {"a":', b'[{"a": "\xff"}]', b"[" * 200_000], ids=len)
def test_a_json_array_that_is_damaged_is_refused_as_a_whole(data):
    """Where the next row of a broken array begins is not known: the file is unreadable, not one of its rows."""
    (row,) = read(data, "rows.json")
    assert (row.line, row.reason) == (0, "unreadable_file")
    assert "rows.json: not a valid JSON array" in row.detail


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.jsonl.gz"])
def test_a_mark_at_the_beginning_of_a_text_is_no_part_of_its_first_row(name):
    """Editors on some systems write a byte order mark; the row is that of a file without one."""
    for text in (GOOD + b"\n" + GOOD, b"[" + GOOD + b"]"):
        if text.startswith(b"[") and name != "rows.json":
            continue
        plain, marked = (gzip.compress(t) if name.endswith(".gz") else t for t in (text, b"\xef\xbb\xbf" + text))
        assert read(marked, name) == read(plain, name)
        assert read(marked, name)[0].value == {"a": 1}


def test_the_ending_of_a_name_may_be_in_capitals():
    """Some systems write names in capitals; the format is the same."""
    assert [row.value for row in read(gzip.compress(GOOD), "ROWS.JSONL.GZ")] == [{"a": 1}]
    assert [row.value for row in read(b"[" + GOOD + b"]", "ROWS.JSON")] == [{"a": 1}]
    assert reasons(read(b"no parquet", "ROWS.PARQUET")) == ["unreadable_file"]


def test_json_lines_under_the_name_of_json_are_read():
    """Many corpora call their JSON Lines .json."""
    assert [row.value for row in read(GOOD + b"\n" + GOOD + b"\n", "rows.json")] == [{"a": 1}] * 2


def test_an_array_row_that_is_too_long_is_refused():
    """The limit of a row holds for every format."""
    data = json.dumps([{"a": "x"}, {"a": "x" * 5000}, {"a": "y"}]).encode()
    assert reasons(read(data, "rows.json", 1024)) == [None, "row_too_long", None]


def test_a_gzipped_json_array_is_read():
    """A compressed file is read as it would be without compression."""
    assert [row.value for row in read(gzip.compress(b'[{"a": 1}]'), "rows.json.gz")] == [{"a": 1}]


def test_a_file_that_is_gone_is_one_refusal(tmp_path):
    """It was there when the run listed it."""
    (row,) = raw_rows({"name": "rows.jsonl", "path": str(tmp_path / "rows.jsonl")}, MIB)
    assert row.reason == "unreadable_file"


def test_a_number_beyond_what_floats_hold_is_refused():
    """1e999 reads as infinity, which no table compares and no hash accepts."""
    assert only(b'{"a": 1e999}').reason == "not_a_number"


KINDS = {
    "string": (["", "x"], [None, 1, ["x"], {}]),
    "int": ([0, -5], [None, 1.0, "1", True]),
    "float": ([0, 1.5], [None, "1", True]),
    "bool": ([True], [None, 0, "true"]),
    "any": ([None, 1, "x", []], []),
    "string?": ([None, "x"], [1]),
    "[string]": ([[], ["x"]], [None, "x", [1], ["x", None]]),
    "[string]?": ([None, ["x"]], [[1]]),
    "{a:string,b:int?}": ([{"a": "x", "b": 1}, {"a": "x"}], [None, {}, {"a": 1}, {"a": "x", "b": "1"}, []]),
    "[{a:string}]": ([[], [{"a": "x"}]], [[{}], {"a": "x"}, [None]]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_takes_its_values_and_no_others(kind):
    """The small language of schemas means what it says."""
    good, bad = KINDS[kind]
    assert [value for value in good if not fits(value, kind)] == []
    assert [value for value in bad if fits(value, kind)] == []


def test_a_missing_column_is_told_with_those_there_are():
    """The message is enough to see that it is another data set, or another version of it."""
    with pytest.raises(RowError, match="column text is missing; the row has code, id") as told:
        checked({"id": 1, "code": ""}, {"id": "int", "text": "string"})
    assert told.value.reason == "missing_column"


def test_a_column_of_the_wrong_type_is_told_with_both_types():
    """What is there, and what was expected."""
    with pytest.raises(RowError, match="column id is a string, expected int") as told:
        checked({"id": "1"}, {"id": "int"})
    assert told.value.reason == "wrong_type"


def test_a_column_that_may_be_absent_may_be_absent_or_null():
    """A trailing question mark allows both."""
    for row in ({}, {"note": None}, {"note": "x"}):
        assert checked(row, {"note": "string?"}) is row


def test_columns_that_nobody_asked_for_are_left_alone():
    """A data set that gains a column is still read."""
    assert checked({"id": 1, "new": object()}, {"id": "int"})["id"] == 1


def test_parsing_raises_nothing_but_a_row_error():
    """Every byte by itself and in front of a row is a value or a reason."""
    for byte in range(256):
        for data in (bytes([byte]), bytes([byte]) + GOOD, GOOD[:3] + bytes([byte]) + GOOD[3:]):
            with contextlib.suppress(RowError):
                assert isinstance(parse_object(data), dict)
