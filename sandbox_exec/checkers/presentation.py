"""Outputs agree when they are the same bytes, and nearly when they are but for blanks."""

from __future__ import annotations

from tasklake.sandbox_exec.checkers._blanks import parts

NAME = "presentation"
DOC = (
    "The output is the expected one, byte by byte; the expected words with other blanks between, before or after them "
    "are a presentation error."
)


def check(expected: bytes, actual: bytes) -> bool:
    """True when both are the same bytes."""
    return expected == actual


def nearly(expected: bytes, actual: bytes) -> bool:
    """True when both have the same words."""
    return _joined(expected) == _joined(actual)


def _joined(text: bytes) -> bytes:
    return b" ".join(filter(None, (b" ".join(part.split()) for part in parts(text))))
