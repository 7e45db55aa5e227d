"""Checkers that stand for others, Kattis, Agnostics and LiveCodeBench, agree where those do; so do the newer ones."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklake.sandbox_exec.checkers import _blanks, checker
from tasklake.sandbox_exec.verdict import Verdict

# Characters that str takes for blanks, beside ordinary ones; bytes knows fewer.
WIDE = st.text(alphabet="a1 \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u200b\u2028\u202f\u205f\u3000é", max_size=20)
# Words of which some are numbers for one grader and not for another.
NUMBER = st.sampled_from(
    ["1", "1.0", "10e-1", "0", "-0", "+1", "1.5", "2", "inf", "Infinity", "-INF", "nan", "x", "é", "1e999999999", "1e"]
)
BLANK = st.sampled_from(
    [" ", "\n", "\n\n", "  ", "\t", "\r\n", "\x85", "\u2003", "\xa0", "\x1c", "\u2028", " \n", "\n "]
)
ROW = st.lists(st.tuples(BLANK, NUMBER), max_size=4).map(lambda pairs: "".join(blank + word for blank, word in pairs))
# One megabyte parts would never be cut in a small text.
PART = st.integers(min_value=0, max_value=9)
ROCKETS = "🚀" * 200


def agree(name: str, expected: bytes | str, actual: bytes | str) -> bool:
    """Whether the checker accepts what was written."""
    texts = [text.encode() if isinstance(text, str) else text for text in (expected, actual)]
    return checker(name)(*texts) is Verdict.accepted


# Each kind of case that the tests of Kattis' validator hold, in our own words, and what its source says beside them.
RIGHT = [
    ("tokens:kattis", "two words", "two words"),
    ("tokens:kattis", "two words\n", "Two  WORDS"),
    ("tokens:kattis", "two words", "\n \t two\r\nwords\n\n"),
    ("tokens:kattis", "nan inf", "NaN INF"),
    ("tokens:kattis", "", " \n"),
    ("tokens:case", "Two words", " Two\nwords"),
    ("tokens:space", "two\n words\n", "TWO\n words\n"),
    ("tokens:case,space,abs=0.5,rel=0.5", "E is 2.71\n", "E is 2.9\n"),
    ("tokens:abs=0.5", "2", "2.4"),
    ("tokens:abs=0.5", "2", "2.5"),
    ("tokens:abs=0.5", "2 apples", "2.4 APPLES"),
    ("tokens:abs=5", "10", "14.5"),
    ("tokens:rel=0.1", "200", "215"),
    ("tokens:rel=0.1", "-200", "-215"),
    ("tokens:abs=0.2,rel=0.2", "2", "2.3"),
    ("tokens:abs=0.5,rel=1e-9", "1000000", "1000000.4"),
    ("tokens:abs=1e-9,rel=0.1", "1000", "1050"),
    ("tokens:abs=1e-6", "1500", "1.5e3"),
    ("tokens:abs=1e-6", "1500", "+1.5E+03"),
    ("tokens:abs=1e-6", "0.5", ".5"),
    ("tokens:abs=1e-6", "5", "5."),
    ("tokens:abs=0", "1", "1.000"),
    ("tokens:abs=1e-6", "inf", "INF"),
    ("tokens:abs=1e-6", "1e400", "1E400"),
    ("tokens:abs=1e-6", "0.333333", "0." + "3" * 500),
    ("tokens:abs=1e-6", "1e-400", "0"),
]
WRONG = [
    ("tokens:kattis", "two words", "two stones"),
    ("tokens:kattis", "two words", "two"),
    ("tokens:kattis", "two words", "two\n\n"),
    ("tokens:kattis", "two words", ""),
    ("tokens:kattis", "two words", " \n\t\n"),
    ("tokens:kattis", "two words", "twowords"),
    ("tokens:kattis", "two words", "two words more"),
    ("tokens:kattis", "two words", f"two words {ROCKETS}"),
    ("tokens:kattis", "1.0", "1"),
    ("tokens:kattis", "é", "É"),
    ("tokens:kattis", b"\x80" * 1000 + b"\x81", b"\x80" * 1000 + b"\x82"),
    ("tokens:kattis", b"a\0b", b"a\0c"),
    ("tokens:case", "Two words", "two words"),
    ("tokens:case", "aaaaAa" + "a" * 500, "aaaAaa" + "a" * 500),
    ("tokens:space", "two\n words", "two\nwords"),
    ("tokens:space", "two\nwords", "two\n words"),
    ("tokens:space", "two\nwords\n", "two\nwords"),
    ("tokens:space", "two\nwords", "two\nwords\n"),
    ("tokens:space", "two words", "two\twords"),
    ("tokens:space", "two words", " two words"),
    ("tokens:case,space,abs=0.5,rel=0.5", "E is 1.0", "E is 2.0"),
    ("tokens:case,space,abs=0.5,rel=0.5", "E is 1.0", "e is 1.0"),
    ("tokens:case,space,abs=0.5,rel=0.5", "E is 1.0", "E is  1.0"),
    ("tokens:abs=0.1", "2", "2.4"),
    ("tokens:rel=0.01", "200", "215"),
    ("tokens:rel=0.01", "0", "0.001"),
    ("tokens:rel=0.1", "100", "111"),
    ("tokens:abs=0.5,rel=0.2", "2", "2.50001"),
    ("tokens:abs=0.5", "2", f"2.4{ROCKETS}"),
    ("tokens:abs=0.5", "2", "two"),
    ("tokens:abs=0.5", "two", "2"),
    ("tokens:abs=0.5", "inf", "0"),
    ("tokens:abs=0.5", "2", "inf"),
    ("tokens:abs=0.5", "2", "nan"),
    ("tokens:abs=0.5", "nan", "2"),
    ("tokens:abs=0.5", "1e400", "1e401"),
    ("tokens:abs=0.5", "1e308", "-1e308"),
    ("tokens:abs=0.5", "1000", "1_000"),
    ("tokens:abs=0.5", "1", "١"),
    ("tokens:abs=0.5", "16", "0x10"),
    ("tokens:abs=0.5", "1", "1e"),
    ("tokens:abs=0.5", "1 2", "1\x852"),
    ("tokens:abs=0.5", "1 2", "1\xa02"),
    ("tokens:abs=0.5", "2", ""),
    ("tokens:abs=0.5", "", "2"),
]


@pytest.mark.parametrize(("name", "expected", "actual"), RIGHT)
def test_kattis_accepts(name: str, expected: str, actual: str) -> None:
    """Words in any letters and numbers within either tolerance are right for Kattis' validator."""
    assert agree(name, expected, actual)


@pytest.mark.parametrize(("name", "expected", "actual"), WRONG)
def test_kattis_refuses(name: str, expected: bytes | str, actual: bytes | str) -> None:
    """Other, missing and more words, numbers beyond both tolerances, and what only looks like a number are wrong."""
    assert not agree(name, expected, actual)


def test_order_of_flags_says_nothing() -> None:
    """Flags may stand in any order, and the validator's name may stand among them."""
    for name in ("tokens:rel=0.1,case,abs=0.5,space", "tokens:kattis,space,case,rel=0.1,abs=0.5"):
        assert agree(name, "A 100", "A 109")
        assert not agree(name, "A 100", "a 109")
        assert not agree(name, "A 100", "A  109")
        assert not agree(name, "A 100", "A 111")


@given(
    value=st.floats(min_value=-1e12, max_value=1e12),
    off=st.floats(min_value=-2, max_value=2),
    absolute=st.sampled_from(["0", "1e-6", "0.5", "1"]),
    relative=st.sampled_from(["0", "1e-9", "0.01", "0.5"]),
)
def test_either_tolerance_is_enough(value: float, off: float, absolute: str, relative: str) -> None:
    """A number is right exactly when it is within the absolute or the relative tolerance, that of the expected one."""
    near = abs(value - (value + off)) <= float(absolute)
    close = abs(value - (value + off)) <= float(relative) * abs(value)
    written = (f"{value!r}", f"{value + off!r}")
    assert agree(f"tokens:abs={absolute}", *written) == near
    assert agree(f"tokens:rel={relative}", *written) == close
    assert agree(f"tokens:abs={absolute},rel={relative}", *written) == (near or close)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [("1\n2\n", "1\n2"), ("1\n2", "1\n2\n\n \t"), ("1\n2", "1\r\n2\r\n"), ("1\r\n2", "1\n2"), ("1", "1\u3000\xa0\n")],
)
def test_agnostics_ignores_the_end(expected: str, actual: str) -> None:
    """What follows the last character of an output, and how its lines end, makes no difference."""
    assert agree("agnostics", expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [("1\n2", "1 \n2"), ("5", " 5"), ("5", "\n5"), ("1\n2", "1\n\n2"), ("0.5", "0.50"), ("Yes", "YES"), ("5", "5.")],
)
def test_agnostics_sees_everything_else(expected: str, actual: str) -> None:
    """Blanks that end a line, those before it, empty lines, letters and digits are part of the answer."""
    assert not agree("agnostics", expected, actual)


@given(expected=WIDE, actual=WIDE)
def test_agnostics_is_the_same_text_up_to_its_end(expected: str, actual: str) -> None:
    """An output is right exactly when a harness that reads text and strips its end would find it equal."""
    lined = [text.replace("\r\n", "\n").replace("\r", "\n") for text in (expected, actual)]
    assert agree("agnostics", expected, actual) == (lined[0].rstrip() == lined[1].rstrip())


def graded(expected: str, actual: str) -> bool:
    """What LiveCodeBench says, in its own kinds of values."""
    pairs = [text.strip().split("\n") for text in (expected, actual)]
    if len(pairs[0]) != len(pairs[1]):
        return False
    for wanted, got in zip(*pairs, strict=True):
        if wanted.strip() != got.strip():
            try:
                if [Decimal(word) for word in wanted.split()] != [Decimal(word) for word in got.split()]:
                    return False
            except InvalidOperation:
                return False
    return True


@given(expected=ROW, actual=ROW)
def test_livecodebench_grades_any_two_outputs(expected: str, actual: str) -> None:
    """Lines in any blanks, of numbers in any form, are graded as LiveCodeBench grades them."""
    assert agree("livecodebench", expected, actual) == graded(expected, actual)


@given(words=st.lists(NUMBER, min_size=1, max_size=4), blanks=st.lists(BLANK, min_size=8, max_size=8))
def test_livecodebench_grades_the_same_words(words: list[str], blanks: list[str]) -> None:
    """The same words in other blanks are graded as LiveCodeBench grades them."""
    expected = "".join(word + blank for word, blank in zip(words, blanks, strict=False))
    actual = "".join(blank + word for word, blank in zip(words, blanks[4:], strict=False))
    assert agree("livecodebench", expected, actual) == graded(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("1.5 x", "1.50 x"),
        ("nan 1", "nan 1.0"),
        ("nan", "NaN"),
        ("0.1", "0.1000000000000000001"),
        ("1000", "1_000"),
        ("1", "١"),
        ("50000000000000000", "50000000000000001"),
        ("0", "1e-999999999999999999"),
        ("1e99999999999999999999", "10e99999999999999999998"),
        ("a b", "a  b"),
        ("1\n2", "1 2"),
        ("1 2", "1"),
        ("1", ""),
    ],
)
def test_livecodebench_has_no_tolerance(expected: str, actual: str) -> None:
    """Words beside numbers have to be equal, numbers too, and what is no plain number is a word."""
    assert not agree("livecodebench", expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [("1.5 2", "15e-1  2.0"), ("inf", "Infinity"), ("1e999999999", "10E999999998"), ("-0", "0.0"), ("a", " a \n\n")],
)
def test_livecodebench_takes_equal_numbers(expected: str, actual: str) -> None:
    """Equal numbers are right however they are written, and so are blanks around lines."""
    assert agree("livecodebench", expected, actual)


@given(lines=st.lists(st.text(alphabet="ab \t", max_size=4)), data=st.data())
def test_unordered_takes_any_order(lines: list[str], data: st.DataObject) -> None:
    """The same lines in another order are right, with other blanks at their ends and with empty lines between."""
    moved = data.draw(st.permutations(lines))
    ends = data.draw(st.lists(st.sampled_from(["\n", " \n", "\r\n", "\n\n"]), min_size=len(lines), max_size=len(lines)))
    written = "".join(line + end for line, end in zip(moved, ends, strict=True))
    assert agree("unordered", "\n".join(lines), written)


@given(lines=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1))
def test_unordered_counts(lines: list[str]) -> None:
    """A line too many, a line too few and another line are wrong."""
    text = "\n".join(lines)
    assert not agree("unordered", text, f"{text}\n{lines[0]}")
    assert not agree("unordered", text, "\n".join(lines[1:]))
    assert not agree("unordered", text, "\n".join([*lines[1:], "d"]))
    assert not agree("unordered", text, "\n".join([*lines[1:], f" {lines[0]}"]))


@given(words=st.lists(st.text(alphabet="ab", min_size=1, max_size=3), max_size=6), data=st.data())
def test_presentation_tells_blanks_from_words(words: list[str], data: st.DataObject) -> None:
    """The same words in other blanks are a presentation error; other words are wrong."""
    blank = st.text(alphabet=" \t\n\r\v\f", min_size=1, max_size=3)
    written = "".join(data.draw(blank) + word for word in words) + data.draw(blank)
    judge = checker("presentation")
    expected = "\n".join(words).encode()
    assert judge(expected, written.encode()) is Verdict.presentation_error
    assert judge(expected, expected) is Verdict.accepted
    assert judge(expected, written.encode() + b"c") is Verdict.wrong_answer


def test_presentation_wants_words_parted() -> None:
    """Words that are joined or cut are wrong, not badly presented."""
    assert checker("presentation")(b"1 2", b"12") is Verdict.wrong_answer
    assert checker("presentation")(b"12", b"1 2") is Verdict.wrong_answer


@given(text=st.text(alphabet="ab \t\n\r\v\f").map(str.encode), size=PART)
def test_parts_lose_nothing(text: bytes, size: int) -> None:
    """However small the parts, their words and lines are those of the whole text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_blanks, "PART_BYTES", size)
        assert list(_blanks.words(text)) == text.split()
        assert list(_blanks.lines(text)) == text.split(b"\n")
        for name in ("lines", "unordered", "presentation", "tokens", "tokens:space", "livecodebench", "agnostics"):
            assert agree(name, text, text + b" \n") == (name != "tokens:space" and name != "presentation")


@given(text=WIDE)
def test_blanks_are_those_of_str(text: str) -> None:
    """Without being decoded, a text is stripped and cut as str would do it."""
    data = text.encode()
    assert _blanks.rstripped(data) == text.rstrip().encode()
    assert _blanks.stripped(data) == text.strip().encode()
    assert _blanks.spaced(data).split() == [word.encode() for word in text.split()]
