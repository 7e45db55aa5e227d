"""Outputs agree when their words do, and numbers with a fraction need only be close.

The bare name and `tokens:T` are ours: letters count, whole numbers are met by their value alone, fractions are compared
by one tolerance. Flags in place of T ask for the default validator of Kattis: see _kattis.py.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import zip_longest
from math import isinf

from tasklake.sandbox_exec.checkers import Check, CheckerError
from tasklake.sandbox_exec.checkers._blanks import words
from tasklake.sandbox_exec.checkers._kattis import validator
from tasklake.sandbox_exec.checkers._numbers import NUMBER, WRITTEN

NAME = "tokens"
DOC = (
    "The words are the expected ones, letter by letter, whatever blanks part them; fractions may differ by 1e-6, or by "
    "T in tokens:T, absolute or relative; where a whole number is expected, only its value is right, as 5.0 is for 5. "
    "tokens:kattis is Kattis' default validator, which also takes capital for small letters and numbers as words; "
    "flags, joined by commas, change that: case (letters count), space (blanks have to be the same), abs=T and rel=T "
    "(where a number is expected, a whole one too, a number within either is right)."
)
# What contests commonly ask for.
TOLERANCE = 1e-6
# Doubles cannot hold most decimals: a difference of just the tolerance comes out a trifle above it.
SLACK = 1 + 1e-9
# A double written without an exponent has 309 digits before its point; longer words are text, and take no time to read.
MAX_NUMBER_BYTES = 400


def check(expected: bytes, actual: bytes, *, tolerance: float = TOLERANCE) -> bool:
    """True when both have equally many words and each pair agrees."""
    if expected == actual:
        return True
    pairs = zip_longest(words(expected), words(actual))
    return all(wanted == got or _agree(wanted, got, tolerance) for wanted, got in pairs)


def with_parameter(text: str) -> Check:
    """The check with the tolerance that the text says, or Kattis' with the flags that it says."""
    flagged = validator(text)
    if flagged is not None:
        return flagged.check
    tolerance = float(text) if WRITTEN.fullmatch(text) else 1.0
    # From one on, zero would pass for anything near it.
    if tolerance >= 1:
        raise CheckerError(
            f"checker tokens:{text[:40]}: expected a decimal number of at least 0 and below 1, such as tokens:1e-4, or "
            "flags of Kattis' validator, such as tokens:kattis or tokens:case,space,abs=1e-6,rel=1e-9"
        )
    return partial(check, tolerance=tolerance)


def _agree(expected: bytes | None, actual: bytes | None, tolerance: float) -> bool:
    """True for two numbers within the tolerance, or equal where a whole one is expected: no count is nearly right."""
    wanted, got = _number(expected), _number(actual)
    if wanted is None or got is None:
        return False
    if wanted.lastindex is None:
        try:
            return Decimal(got[0].decode()) == int(wanted[0])
        except InvalidOperation:
            # An exponent of twenty digits.
            return False
    value, other = float(wanted[0]), float(got[0])
    # Beyond what a double holds nothing can be said about a difference.
    if isinf(value) or isinf(other):
        return False
    return abs(value - other) <= tolerance * SLACK * max(1.0, abs(value))


def _number(word: bytes | None) -> re.Match[bytes] | None:
    return NUMBER.fullmatch(word) if word is not None and len(word) <= MAX_NUMBER_BYTES else None
