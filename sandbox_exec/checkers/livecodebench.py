"""Outputs agree where LiveCodeBench's grader of programs finds that they do, so that scores can be compared."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from itertools import zip_longest

from tasklake.sandbox_exec.checkers._blanks import lines, spaced, stripped, words
from tasklake.sandbox_exec.checkers._numbers import NUMBER

NAME = "livecodebench"
DOC = (
    "Each line is the expected one but for blanks around it, or consists of numbers that equal the expected ones "
    "exactly, such as 1.50 and 15e-1; blanks around the whole output make no difference. LiveCodeBench accepts the "
    "same, and beside it numbers like 1_0 and digits of other scripts."
)
# Decimal() would also take 1_0, ١ and NaN. Infinity is written in as many ways as there are languages.
VALUE = re.compile(NUMBER.pattern + rb"|[+-]?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?")


def check(expected: bytes, actual: bytes) -> bool:
    """True when both have equally many lines, blank ones around them left aside, and each pair agrees."""
    if expected == actual:
        return True
    expected, actual = stripped(expected), stripped(actual)
    if expected.count(b"\n") != actual.count(b"\n"):
        return False
    pairs = zip(lines(expected), lines(actual), strict=True)
    return all(wanted == got or _agree(wanted, got) for wanted, got in pairs)


def _agree(expected: bytes, actual: bytes) -> bool:
    """True for the same text within blanks, and for the same numbers; a line with any other word has to be the same."""
    expected, actual = stripped(expected), stripped(actual)
    if expected == actual:
        return True
    return all(_equal(wanted, got) for wanted, got in zip_longest(words(spaced(expected)), words(spaced(actual))))


def _equal(expected: bytes | None, actual: bytes | None) -> bool:
    """True for two words that are the same number."""
    value = _value(expected)
    return value is not None and (expected == actual or value == _value(actual))


def _value(word: bytes | None) -> Decimal | None:
    if word is None or not VALUE.fullmatch(word):
        return None
    try:
        return Decimal(word.decode("ascii"))
    except InvalidOperation:  # an exponent beyond what Decimal holds: for LiveCodeBench, too, no number
        return None
