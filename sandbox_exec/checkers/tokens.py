"""Outputs agree when their words do, and numbers with a fraction need only be close."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import zip_longest

NAME = "tokens"
DOC = "The words are the expected ones, whatever blanks part them; decimal numbers may differ by 1e-6, absolute or relative."
# What contests commonly ask for.
TOLERANCE = 1e-6
# Doubles cannot hold most decimals: a difference of just the tolerance comes out a trifle above it.
SLACK = 1 + 1e-9
# A double written without an exponent has 309 digits before its point; longer words are text, and take no time to read.
MAX_NUMBER_BYTES = 400
WORD = re.compile(rb"[^ \t\n\r\v\f]+")
# Plain ASCII and no names: float() would also take nan, inf and 1_000.
NUMBER = re.compile(rb"[+-]?+(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?")
INTEGER = re.compile(rb"([+-]?+)0*+([0-9]*+)")


def check(expected: bytes, actual: bytes) -> bool:
    """True when both have equally many words and each pair agrees."""
    # One pair at a time: a list of all words would take many times the size of the output.
    return expected == actual or all(_agree(a, b) for a, b in zip_longest(_words(expected), _words(actual)))


def _words(text: bytes) -> Iterator[bytes]:
    return (found[0] for found in WORD.finditer(text))


def _agree(expected: bytes | None, actual: bytes | None) -> bool:
    if expected is None or actual is None:
        return False
    return expected == actual or (_is_number(expected) and _is_number(actual) and _close(expected, actual))


def _is_number(word: bytes) -> bool:
    return len(word) <= MAX_NUMBER_BYTES and NUMBER.fullmatch(word) is not None


def _close(expected: bytes, actual: bytes) -> bool:
    """True for numbers within the tolerance; whole numbers have to be equal, for a count is not nearly right."""
    whole, other = INTEGER.fullmatch(expected), INTEGER.fullmatch(actual)
    if whole and other:
        return _whole(whole) == _whole(other)
    wanted, got = float(expected), float(actual)
    # Both beyond what a double holds: nothing can be said about their difference.
    if not (math.isfinite(wanted) and math.isfinite(got)):
        return False
    return abs(wanted - got) <= TOLERANCE * SLACK * max(1.0, abs(wanted))


def _whole(found: re.Match[bytes]) -> tuple[bool, bytes]:
    """Sign and digits: as text, because int() has a limit on them."""
    return found[1] == b"-" and found[2] != b"", found[2]
