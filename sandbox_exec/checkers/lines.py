"""Outputs agree when their lines do, whatever blanks end them: the default."""

from __future__ import annotations

from collections.abc import Iterator

NAME = "lines"
DOC = (
    "The lines are the expected ones; blanks at the end of a line, empty lines at the end and CRLF make no difference."
)
# Millions of short lines are stripped a part at a time: all at once they would take forty times their size.
PART_BYTES = 1 << 20


def check(expected: bytes, actual: bytes) -> bool:
    """True when both have the same lines, blanks at their ends and empty lines after the last one left aside."""
    return expected == actual or _canonical(expected) == _canonical(actual)


def _canonical(text: bytes) -> bytes:
    return b"\n".join(map(_stripped, _parts(text.rstrip())))


def _parts(text: bytes) -> Iterator[bytes]:
    """The text cut at line ends into parts of about equal size."""
    begin = 0
    while (end := text.find(b"\n", begin + PART_BYTES)) >= 0:
        yield text[begin:end]
        begin = end + 1
    yield text[begin:]


def _stripped(part: bytes) -> bytes:
    """The part without the blanks that end its lines."""
    part = part.replace(b"\r\n", b"\n")
    if not part[-1:].isspace() and not any(blank + b"\n" in part for blank in (b" ", b"\t", b"\r", b"\v", b"\f")):
        return part
    # No regular expression: a run of blanks inside a line would make it try each of them as a beginning.
    return b"\n".join([line.rstrip() for line in part.split(b"\n")])
