"""Outputs are cut at their blanks a part at a time, and stripped of blanks as str does it, without being decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

# Words are listed a part at a time: all at once they would take many times the size of the output.
PART_BYTES = 1 << 20
# What C and bytes.split() call blank.
BLANK = re.compile(rb"[ \t\n\r\v\f]")
LINE_END = re.compile(rb"\n")
# What str.strip() takes away beside that: four separators of ASCII, and the blanks of other scripts.
ASCII = b" \t\n\r\v\f\x1c\x1d\x1e\x1f"
WIDE = tuple(character.encode() for character in map(chr, range(0x80, 0x3001)) if character.isspace())
SEPARATORS = bytes.maketrans(b"\x1c\x1d\x1e\x1f", b"    ")
# Possessive: millions of blanks must not be tried in every length.
LEADING = re.compile(b"(?:[" + ASCII + b"]|" + b"|".join(WIDE) + b")++")
# A search for the blanks that end a text would try every blank inside it: backwards they stand at the beginning.
TRAILING = re.compile(b"(?:[" + ASCII + b"]|" + b"|".join(blank[::-1] for blank in WIDE) + b")++")


def parts(text: bytes, cut: re.Pattern[bytes] = BLANK) -> Iterator[bytes]:
    """The text cut into parts of about equal size; what it is cut at is left out."""
    begin = 0
    while found := cut.search(text, begin + PART_BYTES):
        yield text[begin : found.start()]
        begin = found.end()
    yield text[begin:]


def words(text: bytes) -> Iterator[bytes]:
    """What stands between the ASCII blanks of the text."""
    return chain.from_iterable(part.split() for part in parts(text))


def lines(text: bytes) -> Iterator[bytes]:
    """What stands between the line feeds of the text."""
    return chain.from_iterable(part.split(b"\n") for part in parts(text, LINE_END))


def rstripped(text: bytes) -> bytes:
    """The text without the blanks that end it, as str.rstrip() would leave it."""
    text = text.rstrip(ASCII)
    if text[-1:] < b"\x80":
        return text
    blank = TRAILING.match(text[::-1])
    return text[: -blank.end()] if blank else text


def stripped(text: bytes) -> bytes:
    """The text without the blanks around it, as str.strip() would leave it."""
    blank = LEADING.match(text)
    return rstripped(text[blank.end() :] if blank else text)


def spaced(text: bytes) -> bytes:
    """The text with ASCII blanks alone: a space for each other character that str.split() cuts at."""
    if not text.isascii():
        for blank in WIDE:
            text = text.replace(blank, b" ")
    return text.translate(SEPARATORS)
