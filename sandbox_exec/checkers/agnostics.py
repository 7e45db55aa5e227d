"""Outputs agree where the harnesses of the Agnostics paper find that they do, so that scores can be compared."""

from __future__ import annotations

from tasklake.sandbox_exec.checkers._blanks import rstripped

NAME = "agnostics"
DOC = (
    "The output is the expected one but for blanks and empty lines at its very end, and CR or CRLF for LF: what the "
    "Agnostics harnesses accept, except that theirs never accept an expected output with a CR in it."
)


def check(expected: bytes, actual: bytes) -> bool:
    """True when both are the same text up to the blanks that end it, those of other scripts included."""
    return expected == actual or _canonical(expected) == _canonical(actual)


def _canonical(text: bytes) -> bytes:
    return rstripped(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
