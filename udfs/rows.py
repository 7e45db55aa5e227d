"""Files of a corpus read row by row: whatever is wrong with a row becomes its reason, and its neighbours are unharmed.

JSON Lines (also gzipped), one JSON array, or Parquet; on a local path, in a bucket, or shipped with the package.
What is wrong with the file as a whole is the last row that it yields, with the reason `unreadable_file`.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import math
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn, cast

import pyarrow as pa
import pyarrow.parquet as pq

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.udfs.identity import bytes_hash, content_hash
from tasklake.udfs.storage import bucket_system

# Enough of a refused row to see what it is, little enough to list thousands.
EXCERPT = 300
# A JSON array has to be held as a whole; larger corpora come as JSON Lines or Parquet.
ARRAY_BYTES = 512 * 1024 * 1024
# How much of an overlong line is read at a time while it is skipped.
SKIP_BYTES = 1024 * 1024
# The reason of a file that cannot be read, or not to its end: it says nothing about the rows that were not seen.
UNREADABLE = "unreadable_file"
# What readers raise for a damaged file: lengths, dictionaries and dates that its bytes claim and that cannot be.
DAMAGE = (OSError, EOFError, zlib.error, pa.ArrowException, ValueError, LookupError, ArithmeticError, RecursionError)
# What pyarrow raises for a value that no Python object can hold: text that is no UTF-8, dates beyond the calendar.
NO_VALUE = (ValueError, LookupError, ArithmeticError, pa.ArrowException)
# Rows that are converted together; as many as a worker may hold while each is as long as a row may be.
BATCH_ROWS = 64


class RowError(TasklakeError):
    """One row cannot be used: `reason` is a word, the message says what to look at."""

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class RawRow:
    """One row as it was received: its value, or the reason why there is none."""

    line: int
    digest: str
    value: Mapping[str, Any] | None = None
    reason: str | None = None
    detail: str = ""
    excerpt: str = ""


def raw_rows(file: Mapping[str, Any], max_bytes: int) -> Iterator[RawRow]:
    """Every row of the file in order; `file` has name, and either bucket and path, or data."""
    name = str(file["name"])
    try:
        if name.lower().endswith(".parquet"):
            yield from _parquet_rows(file, max_bytes)
        elif name.lower().endswith((".json", ".json.gz")):
            yield from _array_rows(file, max_bytes)
        else:
            yield from _line_rows(file, max_bytes)
    except DAMAGE as error:
        said = " ".join(str(error).split()) or type(error).__name__
        yield RawRow(0, content_hash(name), None, UNREADABLE, f"{name}: {said}")


def _open(file: Mapping[str, Any]) -> BinaryIO:
    if file.get("data") is not None:
        raw: BinaryIO = io.BytesIO(file["data"])
    elif file.get("bucket"):
        raw = cast(BinaryIO, bucket_system(str(file["bucket"])).open_input_file(f"{file['bucket']}/{file['path']}"))
    else:
        raw = open(str(file["path"]), "rb")  # noqa: SIM115 - closed by the caller
    if str(file["name"]).lower().endswith(".gz"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    return io.BufferedReader(cast(io.RawIOBase, raw), SKIP_BYTES)


def _line_rows(file: Mapping[str, Any], max_bytes: int) -> Iterator[RawRow]:
    with _open(file) as stream:
        number = 0
        while line := stream.readline(max_bytes + 1):
            number += 1
            if number == 1:
                # Some editors mark the beginning of a text; it is no part of the first row.
                line = line.removeprefix(codecs.BOM_UTF8)
            if len(line) > max_bytes and not line.endswith(b"\n"):
                yield _too_long(number, line, stream, max_bytes)
            elif line.strip():
                yield _parsed(number, line.strip())


def _too_long(number: int, start: bytes, stream: BinaryIO, max_bytes: int) -> RawRow:
    size, part = len(start), start
    while not part.endswith(b"\n") and (part := stream.readline(SKIP_BYTES)):
        size += len(part)
    return RawRow(
        number, content_hash(bytes_hash(start), size), None, "row_too_long", _beyond(size, max_bytes), excerpt(start)
    )


def _beyond(size: int, max_bytes: int) -> str:
    return f"the row has {size:,} bytes, more than source.max_row_bytes = {max_bytes:,}"


def _spelled(number: int, value: Any, max_bytes: int) -> RawRow:
    """The row through JSON, so that every format gives the same types, digests and refusals."""
    try:
        line = json.dumps(value, ensure_ascii=True, default=str).encode("ascii")
    except RecursionError:
        return RawRow(number, content_hash(number), None, "bad_json", "the row is nested too deeply")
    if len(line) > max_bytes:
        return RawRow(number, bytes_hash(line), None, "row_too_long", _beyond(len(line), max_bytes), excerpt(line))
    return _parsed(number, line)


def _parsed(number: int, line: bytes) -> RawRow:
    digest = bytes_hash(line)
    try:
        return RawRow(number, digest, parse_object(line), excerpt=excerpt(line))
    except RowError as error:
        return RawRow(number, digest, None, error.reason, str(error), excerpt(line))


def parse_object(line: bytes) -> Mapping[str, Any]:
    """The JSON object in the line; anything else raises RowError."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError("bad_utf8", f"byte {error.start} is not UTF-8: {error.reason}") from None
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise RowError("bad_json", "the JSON is nested too deeply") from None
    except ValueError as error:
        raise RowError("bad_json", f"not valid JSON (is the file truncated?): {error}") from None
    if not isinstance(value, dict):
        raise RowError("bad_json", f"a row must be a JSON object, this is {_kind(value)}")
    # Half of a surrogate pair is legal in JSON's escapes and cannot be stored as text.
    if re.search(r"\\u[dD][89a-fA-F]", text) and any(
        0xD800 <= ord(c) < 0xE000 for c in json.dumps(value, ensure_ascii=False)
    ):
        raise RowError("bad_utf8", "a string holds half of a surrogate pair")
    return value


def _no_constant(name: str) -> NoReturn:
    raise RowError("not_a_number", f"{name} is not a JSON number")


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise RowError("not_a_number", f"{excerpt(text.encode())} is beyond what a number can hold")
    return value


def _array_rows(file: Mapping[str, Any], max_bytes: int) -> Iterator[RawRow]:
    with _open(file) as stream:
        data = stream.read(ARRAY_BYTES + 1)
    if len(data) > ARRAY_BYTES:
        raise OSError(f"a JSON array of more than {ARRAY_BYTES:,} bytes; convert it to JSON Lines")
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.lstrip().startswith(b"["):
        yield from _line_rows({"name": "lines", "data": data}, max_bytes)
        return
    try:
        values = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        # Where the next row of a broken array begins is not known.
        raise ValueError(f"not a valid JSON array (is the file truncated?): {error}") from None
    for number, value in enumerate(values, 1):
        yield _spelled(number, value, max_bytes)


def _parquet_rows(file: Mapping[str, Any], max_bytes: int) -> Iterator[RawRow]:
    with _open(file) as stream:
        parquet = pq.ParquetFile(stream)
        names = parquet.schema_arrow.names
        if len(set(names)) < len(names):
            raise ValueError(f"two columns have one name ({', '.join(names)}); name them apart")
        number = 1
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
            yield from _batch_rows(number, batch, max_bytes)
            number += batch.num_rows


def _batch_rows(first: int, batch: pa.RecordBatch, max_bytes: int) -> Iterator[RawRow]:
    """The rows of the batch; each by itself where not all of them can be converted."""
    try:
        values = batch.to_pylist()
    except NO_VALUE:
        for place in range(batch.num_rows):
            yield _alone(first + place, batch.slice(place, 1), max_bytes)
        return
    for number, value in enumerate(values, first):
        yield _spelled(number, value, max_bytes)


def _alone(number: int, row: pa.RecordBatch, max_bytes: int) -> RawRow:
    """The row value by value: whole, or refused for the first column that no value can be made of."""
    held: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for field in row.schema:
        try:
            held[field.name] = row.column(field.name)[0].as_py()
        except NO_VALUE as error:
            reason = "bad_utf8" if isinstance(error, UnicodeDecodeError) else "bad_value"
            wrong.append((reason, f"column {field.name} ({field.type}) cannot be read: {error}"))
    if not wrong:
        return _spelled(number, held, max_bytes)
    reason, detail = wrong[0]
    # A copy of the row alone: a slice would be stored with its neighbours.
    digest = content_hash(bytes_hash(row.take([0]).serialize().to_pybytes()), detail)
    return RawRow(number, digest, None, reason, detail, excerpt(json.dumps(held, default=str).encode("ascii")))


def excerpt(data: bytes) -> str:
    """The beginning of a refused row, safe to print."""
    return data[:EXCERPT].decode("utf-8", "replace").replace("\x00", "\ufffd")


def checked(row: Mapping[str, Any], schema: Mapping[str, str]) -> Mapping[str, Any]:
    """The row itself when every column of the schema is there with its type; raises RowError otherwise.

    Types: string, int, float, bool, any; `[type]` for lists; `{a:type,b:type}` for objects; a trailing `?` allows null
    and absence.
    """
    for name, kind in schema.items():
        if name not in row:
            if kind.endswith("?"):
                continue
            raise RowError(
                "missing_column", f"column {name} is missing; the row has {', '.join(sorted(row)) or 'none'}"
            )
        if not fits(row[name], kind):
            raise RowError("wrong_type", f"column {name} is {_kind(row[name])}, expected {kind}")
    return row


def fits(value: Any, kind: str) -> bool:
    """True when the value has the type."""
    if kind.endswith("?"):
        return value is None or fits(value, kind[:-1])
    if kind.startswith("["):
        return isinstance(value, list) and all(fits(item, kind[1:-1]) for item in value)
    if kind.startswith("{"):
        fields = dict(part.split(":", 1) for part in kind[1:-1].split(","))
        return isinstance(value, dict) and all(fits(value.get(name), of) for name, of in fields.items())
    return _SCALARS[kind](value)


_SCALARS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "int": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "float": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "bool": lambda v: isinstance(v, bool),
    "any": lambda v: True,
}


def _kind(value: Any) -> str:
    names = {
        str: "a string",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        list: "a list",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), type(value).__name__)
