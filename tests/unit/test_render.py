"""What is shown: JSON without a character that a terminal or a reader's eye obeys, tables, plans and progress."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

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


def test_json_is_what_every_reader_takes() -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None)
    value = {"nan": float("nan"), "when": when, "bytes": b"\xff", "text": b"a", "n": 1, "no": None}
    assert json.loads(render.as_json(value)) == {
        "nan": None, "when": "2026-01-02T03:04:05+00:00", "bytes": "/w==", "text": "a", "n": 1, "no": None,
    }  # fmt: skip


def test_rows_too_wide_for_the_screen_stand_upright(capsys: pytest.CaptureFixture[str]) -> None:
    wide = [{f"column_{number}": number for number in range(30)}]
    render.console().print(render.records(wide, width=80))
    assert len(capsys.readouterr().out.splitlines()) == 31


def test_a_plan_marks_what_is_estimated(capsys: pytest.CaptureFixture[str]) -> None:
    known = {"stage": "ingest", "in": 5, "new": 5, "known": 0, "calls": 0, "tokens": 0, "money": 0.0, "runs": 0}
    render.console().print(render.plan([known | {"exact": True}, known | {"stage": "ground", "exact": False}]))
    lines = capsys.readouterr().out.splitlines()
    assert "~" not in lines[1]
    assert "~5" in lines[2]


def test_without_a_terminal_progress_is_one_line_per_event_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with render.progress() as progress:
        progress("ingest", {"text": "5 new of 5"})
        progress("ingest", {"in": 5, "kept": 4, "rejected": 1, "new": 5, "executed": 0, "seconds": 1.25, "ended": True})
    out, told = capsys.readouterr()
    assert out == ""
    assert [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in told.splitlines()] == [
        "ingest: 5 new of 5",
        "ingest: 5 in, 4 kept, 1 rejected, 5 new, 0 executed, 1.2 s",
    ]
