"""Outputs agree when they are the same bytes."""

from __future__ import annotations

NAME = "exact"
DOC = "The output is the expected one, byte by byte."


def check(expected: bytes, actual: bytes) -> bool:
    """True when both are the same bytes."""
    return expected == actual
