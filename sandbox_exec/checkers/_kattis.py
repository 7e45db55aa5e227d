"""Outputs are compared as the default validator of Kattis' problem packages compares them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tasklake.sandbox_exec.checkers._blanks import words
from tasklake.sandbox_exec.checkers._numbers import double, tolerance

# Words and the blanks between them, all that an output consists of.
RUN = re.compile(rb"[ \t\n\r\v\f]++|[^ \t\n\r\v\f]++")
# The name alone stands for the validator without flags.
NO_FLAG = "kattis"
# The names of the flags in a checker's parameter, and the fields that they set.
SWITCHES = {"case": "case_sensitive", "space": "space_change_sensitive"}
TOLERANCES = {"abs": "float_absolute_tolerance", "rel": "float_relative_tolerance"}
# With a relative tolerance of one, zero would pass for any number.
MOST_RELATIVE = 1.0


@dataclass(frozen=True)
class Validator:
    """The validator with its flags, under the names that a problem.yaml has for them."""

    case_sensitive: bool = False
    space_change_sensitive: bool = False
    float_absolute_tolerance: float | None = None
    float_relative_tolerance: float | None = None

    def check(self, expected: bytes, actual: bytes) -> bool:
        """True when both have equally many words, each pair agrees, and so do the blanks where they matter."""
        if expected == actual:
            return True
        cut = _runs if self.space_change_sensitive else words
        return all(wanted == got or self._agree(wanted, got) for wanted, got in zip_longest(cut(expected), cut(actual)))

    def _agree(self, expected: bytes | None, actual: bytes | None) -> bool:
        """True for two numbers within a tolerance where the expected word is a number, else for the same letters."""
        if expected is None or actual is None:
            return False
        if (self.float_absolute_tolerance, self.float_relative_tolerance) != (None, None):
            value = double(expected)
            if value is not None:
                return self._close(value, double(actual))
        return not self.case_sensitive and expected.lower() == actual.lower()

    def _close(self, value: float, other: float | None) -> bool:
        if other is None:
            return False
        allowed = (self.float_absolute_tolerance or 0.0, (self.float_relative_tolerance or 0.0) * abs(value))
        return abs(value - other) <= max(allowed)


def validator(flags: str) -> Validator | None:
    """The validator with flags such as `case,space,abs=1e-6,rel=1e-9`, or None where the text is no list of them."""
    told: dict[str, Any] = {}
    written = flags.split(",")
    for flag in written:
        name, _, value = flag.partition("=")
        said = tolerance(value) if name in TOLERANCES else None
        if flag in SWITCHES:
            told[SWITCHES[flag]] = True
        elif said is not None and not (name == "rel" and said >= MOST_RELATIVE):
            told[TOLERANCES[name]] = said
        elif flag != NO_FLAG:
            return None
    if len(told) != len(written) - written.count(NO_FLAG) or written.count(NO_FLAG) > 1:
        return None
    return Validator(**told)


def _runs(text: bytes) -> Iterator[bytes]:
    return (run[0] for run in RUN.finditer(text))
