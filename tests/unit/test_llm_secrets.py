"""Keys and broken characters are in no text that is kept."""

from __future__ import annotations

import json
import re

import pytest

from tasklake.udfs.llm.secrets import HIDDEN, Redactor, _spelled

KEY = 'ab/cd"ef+gh\\ij'


@pytest.fixture
def redactor(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """One that knows the key of MINE."""
    monkeypatch.setenv("MINE", KEY)
    return Redactor(["MINE", "NOT_SET"])


@pytest.mark.parametrize(
    "spelled", [KEY, json.dumps(KEY)[1:-1], json.dumps(KEY)[1:-1].replace("/", "\\/")], ids=["plain", "JSON", "slashes"]
)
def test_a_key_is_hidden_however_json_spells_it(redactor, spelled):
    """In answers, which are JSON as it came, and in messages."""
    assert redactor.answer(f'{{"echo": "{spelled}"}}') == f'{{"echo": "{HIDDEN}"}}'
    assert redactor.message(f"you sent {spelled}.") == f"you sent {HIDDEN}."


@pytest.mark.parametrize("letter", ["\\u{:04x}", "\\u{:04X}", "\\\\u{:04x}"], ids=["small", "capital", "JSON in JSON"])
@pytest.mark.parametrize("every", [1, 2])
def test_a_key_is_hidden_whose_letters_are_numbers(redactor, letter, every):
    """All of them or some; what else is spelled so stays as it is."""
    spelled = "".join(letter.format(ord(each)) if n % every == 0 else each for n, each in enumerate("abcdefghij"))
    plain = Redactor([])
    plain.keys, plain.spelled = ["abcdefghij"], re.compile(_spelled("abcdefghij"))
    assert plain.answer(f'{{"echo": "\\u00e9{spelled}\\n"}}') == f'{{"echo": "\\u00e9{HIDDEN}\\n"}}'
    whole = "".join(letter.format(ord(each)) for each in KEY)
    assert redactor.answer(f'{{"echo": "{whole}"}}') == f'{{"echo": "{HIDDEN}"}}'


def test_what_is_no_key_is_hidden_all_the_same(monkeypatch):
    """It cannot be sent, and what is imported must not hold it either."""
    monkeypatch.setenv("MINE", "one-secret\nsecond-secret")
    assert Redactor(["MINE"]).message("one-secret\nsecond-secret") == HIDDEN


def test_a_message_can_be_stored():
    """Half of a character, which the JSON of an error may spell, becomes a question mark."""
    assert Redactor([]).message("no \ud83d here") == "no ? here"
