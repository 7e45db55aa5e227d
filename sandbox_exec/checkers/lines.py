"""Outputs agree when their lines do, whatever blanks end them: the default."""

from __future__ import annotations

from tasklake.sandbox_exec.checkers._blanks import LINE_END, parts

NAME = "lines"
DOC = (
    "The lines are the expected ones; blanks at the end of a line, empty lines at the end and CRLF make no difference."
)
# What ends a line beside its line feed, and where it does makes the line worth stripping.
BLANKS = (b" ", b"\t", b"\r", b"\v", b"\f")


def check(expected: bytes, actual: bytes) -> bool:
    """True when both have the same lines, blanks at their ends and empty lines after the last one left aside."""
    return expected == actual or _canonical(expected) == _canonical(actual)


def _canonical(text: bytes) -> bytes:
    # A part at a time: stripped all at once, millions of short lines would take forty times their size.
    return b"\n".join(map(_stripped, parts(text.rstrip(), LINE_END)))


def _stripped(part: bytes) -> bytes:
    """The part without the blanks that end its lines."""
    part = part.replace(b"\r\n", b"\n")
    if not part.endswith(BLANKS) and not any(blank + b"\n" in part for blank in BLANKS):
        return part
    # No regular expression: a run of blanks inside a line would make it try each of them as a beginning.
    return b"\n".join([line.rstrip() for line in part.split(b"\n")])
