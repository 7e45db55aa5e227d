"""Outputs agree when they have the same lines, in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tasklake.sandbox_exec.checkers._blanks import lines

NAME = "unordered"
DOC = (
    "The lines are the expected ones in any order, each as often; blanks at the end of a line and empty lines make no "
    "difference."
)


def check(expected: bytes, actual: bytes) -> bool:
    """True when each line that is not empty stands in both equally often."""
    if expected == actual:
        return True
    left = Counter(_lines(expected))
    for line in _lines(actual):
        # A hostile output is never held: it ends at its first line that is not expected.
        if not left[line]:
            return False
        left[line] -= 1
    return not any(left.values())


def _lines(text: bytes) -> Iterator[bytes]:
    return filter(None, map(bytes.rstrip, lines(text)))
