"""YAML is read with its lines, and refused where it is unsafe or says two things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklake.sandbox_exec.documents import MAX_NODES, DocumentError, load_document, nearest
from tasklake.sandbox_exec.errors import TasklakeError

TEXT = "a: 1\nb:\n  c: [x, y]\n  d:\n    - e: 2\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [((), 1), (("a",), 1), (("b",), 2), (("b", "c"), 3), (("b", "c", 1), 3), (("b", "d", 0, "e"), 5)],
)
def test_every_key_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    """The line of a key is where it stands in the file."""
    assert load_document(TEXT, "f.yaml").line(path) == line


@pytest.mark.parametrize(("path", "line"), [(("b", "z"), 2), (("b", "d", 0, "z", 3), 5), (("z",), 1)])
def test_absent_key_has_the_line_of_its_parent(path: tuple[str | int, ...], line: int) -> None:
    """What is missing is told at the nearest key that is there."""
    assert load_document(TEXT, "f.yaml").line(path) == line


def test_data_is_plain() -> None:
    """The data is what YAML's safe types say."""
    assert load_document(TEXT, "f.yaml").data == {"a": 1, "b": {"c": ["x", "y"], "d": [{"e": 2}]}}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\na: 2\n", 2, "given twice, first in line 1"),
        ("a:\n  b: 1\n  b: 1\n", 3, "given twice"),
        ("- a\n", 1, "expected keys"),
        ("", 1, "expected keys"),
        ("text\n", 1, "expected keys"),
        ("a: [\n", 2, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("1: a\n", 1, "is not text"),
        ("a: 1\nno: 2\n", 2, "is not text"),
        ("a: *b\n", 1, "not valid YAML"),
        ("a: !!python/name:os.system x\n", 1, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, said: str) -> None:
    """Duplicates, bad syntax, other roots, keys that are no text and unsafe types are refused at their line."""
    with pytest.raises(DocumentError) as caught:
        load_document(text, "f.yaml")
    assert str(caught.value).startswith(f"f.yaml:{line}: ")
    assert said in str(caught.value)


def test_aliases_cannot_explode() -> None:
    """Aliases of aliases end at a number of values that no honest file has."""
    doubling = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(12))
    with pytest.raises(DocumentError, match=f"more than {MAX_NODES} values"):
        load_document(doubling, "f.yaml")


def test_alias_that_holds_itself_is_refused() -> None:
    """A value that contains itself is an error and no endless loop."""
    with pytest.raises(DocumentError):
        load_document("a: &a [*a]\n", "f.yaml")


def test_deep_nesting_is_refused() -> None:
    """Brackets without end are an error and no crash."""
    with pytest.raises(DocumentError, match="not valid YAML"):
        load_document("a: " + "[" * 100_000, "f.yaml")


def told(text: str) -> str:
    """Why the text is refused, or nothing."""
    try:
        load_document(text, "f.yaml")
    except TasklakeError as error:
        return str(error)
    return ""


@given(st.text(alphabet="ab01:-#'\"[]{}&*!|>%@,?. \t\n", max_size=60))
def test_any_printable_text_is_read_or_refused(text: str) -> None:
    """No punctuation makes reading fail in any other way than with the project's error at a place in the file."""
    assert told(text) == "" or told(text).startswith("f.yaml:")


@pytest.mark.parametrize(
    "value",
    [
        "\x1f",
        "2001-13-45",
        "2001-01-01 00:00:00 +99:99",
        "!!int x",
        "!!int ''",
        "!!bool x",
        "!!timestamp x",
        "!!float ''",
        "!!binary x",
        "!!map x",
        "!!set x",
        "9" * 5000,
        "1" + ":1" * 500 + ".5",
        "=",
        "{!!int x: 1}",
        "{[a]: 1}",
        "{{a: 1}: 1}",
    ],
)
def test_value_that_cannot_be_made_is_told(value: str) -> None:
    """A value that YAML promises and cannot make is refused at its line."""
    assert told(f"a: 1\nb: {value}\n").startswith("f.yaml:2: ")


@pytest.mark.parametrize("value", ["!!python/object/apply:os.system [id]", "!!set {b}", "!own {b: 1}", "!!omap [b: 1]"])
def test_tag_on_a_list_or_mapping_is_refused(value: str) -> None:
    """A tag that asks for an object is refused, on lists and mappings too."""
    assert told(f"a: {value}\n").startswith("f.yaml:1: ")
    assert "remove it" in told(f"a: {value}\n")


def test_nearest_is_what_was_meant() -> None:
    """A slip finds its word; a word of another kind finds none."""
    assert nearest("exekute", ["compile", "execute"]) == "execute"
    assert nearest("zzz", ["compile", "execute"]) is None
