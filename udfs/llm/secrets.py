"""Keys of providers: read where calls are made, by the name of their variable, and removed from whatever is kept.

The only reader of secrets. A variable NAME may hold the key, or NAME_FILE the path of a file with it, which is how
mounted secrets come; a cluster fills variables from its secret scopes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from tasklake.udfs.llm.errors import LlmError
from tasklake.udfs.llm.texts import storable

HIDDEN = "[key]"
# Whatever follows these words in a text that a provider sends back is taken for a key, ours or not.
_TELLTALE = re.compile(r"(?i)\b(bearer|basic)(\s+|%20|\\u0020)[^\s\"'\\,;<>]{4,}|\bsk-[A-Za-z0-9_-]{8,}")
# Shorter ones are words like "none" that servers without keys are given; to hide them would garble answers.
SHORTEST = 6


def key(variable: str) -> str:
    """The key that the variable or its file holds, or nothing."""
    held = _held(variable)
    if not (held.isascii() and held.isprintable()):
        raise LlmError(f"what {variable} holds is no key: it has a line break, or letters that no header can carry")
    return held


def _held(variable: str) -> str:
    held = os.environ.get(variable, "").strip()
    place = os.environ.get(f"{variable}_FILE", "").strip()
    if held or not place:
        return held
    try:
        return Path(place).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise LlmError(
            f"{variable}_FILE names {place}, which cannot be read; mend the path or its permissions"
        ) from None


def _spelled(held: str) -> str:
    """A pattern for the key with any of its letters written as a number."""
    return "".join(f"(?:{re.escape(each)}|\\\\+u(?i:{ord(each):04x}))" for each in held)


class Redactor:
    """Takes the keys of some variables out of texts."""

    def __init__(self, variables: Iterable[str]):
        # Whatever is there, a key or not: it is nobody's business.
        held = {each for each in map(_held, variables) if len(each) >= SHORTEST}
        # As JSON spells them, too, with and without a backslash before each slash.
        held |= {json.dumps(each)[1:-1] for each in held}
        held |= {each.replace("/", "\\/") for each in held}
        self.keys = sorted(held, key=len, reverse=True)
        # JSON can spell each letter by its number, within text that is JSON again, and so on.
        self.spelled = re.compile("|".join(map(_spelled, self.keys))) if held else None

    def answer(self, text: str) -> str:
        """The text of an answer without our keys; everything else is the model's and stays."""
        for each in self.keys:
            if each in text:
                text = text.replace(each, HIDDEN)
        if self.spelled is not None and "\\u" in text:
            text = self.spelled.sub(HIDDEN, text)
        return text

    def message(self, text: str, most: int = 500) -> str:
        """The text of an error without our keys or anything that looks like one, and not too long."""
        return storable(_TELLTALE.sub(HIDDEN, self.answer(text)))[:most]
