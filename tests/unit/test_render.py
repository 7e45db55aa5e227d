"""What programs read: JSON without a character that a terminal or a reader's eye obeys."""

from __future__ import annotations

import json

import pytest

from tasklake.jobs import render

# A control sequence of eight bits, a turn of direction, invisible blanks, line ends of Unicode, half a pair, a tag.
OBEYED = ["\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\u00ad", "\ud800", "\U000e0041"]


@pytest.mark.parametrize("char", OBEYED, ids=ascii)
def test_what_a_terminal_obeys_is_spelled_out_in_json(char: str) -> None:
    """A program reads the same text; whoever looks at the output sees an escape."""
    text = render.as_json({"a": f"x{char}y", char: 1})
    assert json.loads(text) == {"a": f"x{char}y", char: 1}
    assert text.isprintable()
    assert "\\u" in text


def test_what_can_be_read_stays_readable() -> None:
    """Letters of any script are themselves."""
    assert render.as_json(["ü 漢字 🙂"]) == '["ü 漢字 🙂"]'
