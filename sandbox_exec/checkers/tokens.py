"""Outputs agree when their words do, and numbers with a fraction need only be close."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import chain, zip_longest
from math import isinf

from tasklake.sandbox_exec.checkers import Checker, CheckerError

NAME = "tokens"
DOC = (
    "The words are the expected ones, whatever blanks part them; fractions may differ by 1e-6, or by T in tokens:T, "
    "absolute or relative."
)
# What contests commonly ask for.
TOLERANCE = 1e-6
# How a tolerance is written: plain decimals, for float() would also take inf, 1_0 and digits of other scripts.
WRITTEN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,30})?([eE]-?[0-9]{1,3})?", re.ASCII)
# Doubles cannot hold most decimals: a difference of just the tolerance comes out a trifle above it.
SLACK = 1 + 1e-9
# A double written without an exponent has 309 digits before its point; longer words are text, and take no time to read.
MAX_NUMBER_BYTES = 400
# Words are listed a part at a time: all at once they would take many times the size of the output.
PART_BYTES = 1 << 20
BLANK = re.compile(rb"[ \t\n\r\v\f]")
# Plain ASCII and no names: float() would also take nan, inf and 1_000. Its groups are what whole numbers lack.
NUMBER = re.compile(rb"[+-]?+(?:[0-9]++(\.[0-9]*+)?|(\.[0-9]++))([eE][+-]?+[0-9]++)?")


def check(expected: bytes, actual: bytes, *, tolerance: float = TOLERANCE) -> bool:
    """True when both have equally many words and each pair agrees."""
    if expected == actual:
        return True
    pairs = zip_longest(_words(expected), _words(actual))
    return all(wanted == got or _agree(wanted, got, tolerance) for wanted, got in pairs)


def with_parameter(text: str) -> Checker:
    """The check with the tolerance that the text says."""
    tolerance = float(text) if WRITTEN.fullmatch(text) else 1.0
    # From one on, zero would pass for anything near it.
    if tolerance >= 1:
        raise CheckerError(
            f"checker tokens:{text[:40]}: expected a decimal number of at least 0 and below 1, such as tokens:1e-4"
        )
    return partial(check, tolerance=tolerance)


def _words(text: bytes) -> Iterator[bytes]:
    return chain.from_iterable(part.split() for part in _parts(text))


def _parts(text: bytes) -> Iterator[bytes]:
    """The text cut at blanks into parts of about equal size."""
    begin = 0
    while cut := BLANK.search(text, begin + PART_BYTES):
        yield text[begin : cut.start()]
        begin = cut.end()
    yield text[begin:]


def _agree(expected: bytes | None, actual: bytes | None, tolerance: float) -> bool:
    """True for two numbers within the tolerance; whole numbers have to be equal, for a count is not nearly right."""
    wanted, got = _number(expected), _number(actual)
    if wanted is None or got is None:
        return False
    if wanted.lastindex is None and got.lastindex is None:
        return int(wanted[0]) == int(got[0])
    value, other = float(wanted[0]), float(got[0])
    # Beyond what a double holds nothing can be said about a difference.
    if isinf(value) or isinf(other):
        return False
    return abs(value - other) <= tolerance * SLACK * max(1.0, abs(value))


def _number(word: bytes | None) -> re.Match[bytes] | None:
    return NUMBER.fullmatch(word) if word is not None and len(word) <= MAX_NUMBER_BYTES else None
