"""What counts as a number in an output, and how a tolerance is written: plain ASCII decimals and nothing else."""

from __future__ import annotations

import re
from math import isfinite

# No names and no separators: float() would also take nan, inf, 1_000 and digits of other scripts. Its groups are what
# whole numbers lack. Possessive: a word of millions of digits must not be tried in every length.
NUMBER = re.compile(rb"[+-]?+(?:[0-9]++(\.[0-9]*+)?|(\.[0-9]++))([eE][+-]?+[0-9]++)?")
# A tolerance has no sign and no more digits than mean something to a double.
WRITTEN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,30})?([eE]-?[0-9]{1,3})?", re.ASCII)


def double(word: bytes) -> float | None:
    """The number that the word is, or None where it is none or more than a double holds."""
    # Unlike int(), float() takes time in proportion to the number of digits.
    value = float(word) if NUMBER.fullmatch(word) else None
    return value if value is not None and isfinite(value) else None


def tolerance(text: str) -> float | None:
    """The tolerance that the text says, or None where it says none."""
    value = float(text) if WRITTEN.fullmatch(text) else None
    return value if value is not None and isfinite(value) else None
