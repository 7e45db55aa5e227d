"""Checkers agree where people would, refuse where they would not, and end in time whatever is written."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklake.sandbox_exec import checkers
from tasklake.sandbox_exec.checkers import CheckerError, checker, described, names
from tasklake.sandbox_exec.verdict import Verdict

# Every checker, and tokens in each of its ways.
NAMES = (*names(), "tokens:0.01", "tokens:kattis", "tokens:case", "tokens:space", "tokens:case,space,abs=0.1,rel=1e-9")
each_checker = pytest.mark.parametrize("name", NAMES)
ANSWERS = {Verdict.accepted, Verdict.wrong_answer, Verdict.presentation_error}
LINES = st.lists(st.text(alphabet="ab \t", max_size=6).map(lambda line: line.rstrip()), max_size=6)
# Within what 1e-6 of it can be told by a double without doubt.
NUMBERS = st.floats(min_value=-1e9, max_value=1e9).map(lambda value: round(value, 6))
# Outputs of any bytes, and such as are made of what checkers look at.
BLANKS = (b" ", b"\n", b"\r\n", b"\t", b"\0", b"\xff", b"\xc2\xa0", b"\x85", b"\x1c", "\u2003".encode())
WORDS = (b"a", b"A", b"1", b"1.0", b"-1e3", b"nan", b"inf", b"1_0", b"e", b".", "\u0661".encode())
PIECES = st.sampled_from(BLANKS + WORDS)
OUTPUT = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=20).map(b"".join))


def agree(name: str, expected: bytes, actual: bytes) -> bool:
    """Whether the checker accepts what was written."""
    return checker(name)(expected, actual) is Verdict.accepted


def test_every_checker_is_found() -> None:
    """Each module that is not private is a checker with a name, words about itself and a function; ours are there."""
    assert set(names()) >= {"agnostics", "exact", "lines", "livecodebench", "presentation", "tokens", "unordered"}
    found = [each.name for each in pkgutil.iter_modules(checkers.__path__) if not each.name.startswith("_")]
    modules = [import_module(f"{checkers.__name__}.{name}") for name in found]
    assert [module.NAME for module in modules] == found
    assert {module.NAME: module.DOC for module in modules} == described()
    assert sorted(described()) == list(names())
    assert all(described().values())
    assert all(callable(module.check) for module in modules)


@pytest.mark.parametrize(
    ("name", "close", "far"),
    [("tokens:1e-4", b"1.00009", b"1.0002"), ("tokens:0.01", b"1.009", b"1.02"), ("tokens:0", b"1.0", b"1.0000001")],
)
def test_tolerance_follows_the_name(name: str, close: bytes, far: bytes) -> None:
    """tokens:T takes numbers that differ by T, absolute or relative, and none further away."""
    assert agree(name, b"1.0", close)
    assert not agree(name, b"1.0", far)
    assert agree("tokens:1e-4", b"1e6", b"1000099.5")
    assert not agree("tokens:0.5", b"10", b"11")
    assert name not in names()


@pytest.mark.parametrize(
    "name",
    ["tokens:", "tokens:-1", "tokens:1", "tokens:2e3", "tokens:nan", "tokens:inf", "tokens:1_0e-9", "tokens: 1e-4",
     "tokens:1e-4\n", "tokens:.1", "tokens:1e-4:2", "tokens:١e-4", "tokens:1e999999999", "exact:1", "lines:",
     "tokens:case,", "tokens:Case", "tokens:case,case", "tokens:kattis,kattis", "tokens:case space", "tokens:abs",
     "tokens:abs=", "tokens:abs=-1", "tokens:abs=nan", "tokens:abs=1e999", "tokens:rel=1", "tokens:abs=1,abs=2",
     "tokens:case=1", "tokens:1e-4,case", "tokens:kattis=", "tokens:abs=1_0", "presentation:1", "unordered:case"],
)  # fmt: skip
def test_parameter_that_is_none_is_refused(name: str) -> None:
    """What is no plain decimal number below one, and a parameter of a checker that takes none, are told."""
    with pytest.raises(CheckerError, match=r"such as tokens:1e-4|takes no parameter"):
        checker(name)


def test_unknown_checker_names_the_nearest() -> None:
    """A name that no checker has is refused with the one that was probably meant."""
    with pytest.raises(CheckerError, match="did you mean tokens"):
        checker("token")


@given(text=OUTPUT, more=st.sampled_from([b"x", b"7", b"\0", b"\xff"]))
def test_an_output_agrees_with_itself_alone(text: bytes, more: bytes) -> None:
    """Whatever is expected, that very output is right, and wrong with another line behind it or without its last."""
    for name in NAMES:
        longer = text + b"\n" + more
        assert agree(name, text, text), name
        assert checker(name)(text, longer) is checker(name)(longer, text) is Verdict.wrong_answer, name


@given(expected=OUTPUT, actual=OUTPUT)
def test_any_two_outputs_get_a_verdict(expected: bytes, actual: bytes) -> None:
    """No bytes make a checker fail; it answers with a verdict, the same in both directions unless it is tokens."""
    for name in NAMES:
        said = checker(name)(expected, actual)
        assert said in ANSWERS, name
        # Tokens measures by what was expected.
        assert name.startswith("tokens") or checker(name)(actual, expected) is said, name


@given(expected=OUTPUT, actual=OUTPUT)
def test_stricter_checkers_accept_less(expected: bytes, actual: bytes) -> None:
    """What is accepted for its bytes is so for its lines, for its lines in any order, for its words."""
    order = ("exact", "lines", "unordered")
    accepted = [agree(name, expected, actual) for name in order]
    assert accepted == sorted(accepted)
    words = [agree(name, expected, actual) for name in ("exact", "lines", "tokens:case", "tokens:kattis")]
    assert words == sorted(words)
    assert agree("tokens:case,space", expected, actual) == (expected == actual)
    assert agree("tokens:case", expected, actual) == (expected.split() == actual.split())
    assert agree("tokens:kattis", expected, actual) == (expected.lower().split() == actual.lower().split())


@each_checker
@pytest.mark.parametrize("actual", [b"", b"1", b"1 2 3 4", b"1 2 4", b"12 3", b"1 2\x003"])
def test_wrong_is_wrong(name: str, actual: bytes) -> None:
    """Missing, more, other and joined words are wrong for every checker."""
    assert not agree(name, b"1 2 3", actual)


def test_exact_takes_nothing_else() -> None:
    """A missing newline at the end is wrong for exact."""
    assert not agree("exact", b"a\n", b"a")


@given(lines=LINES, ends=st.lists(st.sampled_from(["", " ", "\t", "\r", "  \t\r"]), max_size=6), more=st.integers(0, 3))
def test_lines_ignores_what_nobody_sees(lines: list[str], ends: list[str], more: int) -> None:
    """Blanks that end a line, empty lines at the end and CRLF make no difference to lines."""
    ends = [*ends, *[""] * len(lines)]
    written = "".join(f"{line}{end}\n" for line, end in zip(lines, ends, strict=False)) + "\n" * more
    assert agree("lines", "\n".join(lines).encode(), written.encode())
    assert agree("lines", "\r\n".join(lines).encode(), written.encode())


@pytest.mark.parametrize(
    ("expected", "actual"), [(b"a b", b"a  b"), (b"a", b" a"), (b"a\nb", b"a\n\nb"), (b"a", b"\na"), (b"a\nb", b"a b")]
)
def test_lines_sees_everything_else(expected: bytes, actual: bytes) -> None:
    """Blanks inside and before a line, and empty lines between lines, are part of the answer."""
    assert not agree("lines", expected, actual)


def test_lines_holds_across_parts() -> None:
    """Texts longer than what is stripped at a time are compared as a whole."""
    text = b"abc\n" * 1_000_000
    assert agree("lines", text, text.replace(b"c\n", b"c \r\n"))
    assert not agree("lines", text, text[:-2] + b"d \n")
    assert not agree("lines", text, text + b"abc")


@given(
    words=st.lists(st.text(alphabet="abc", min_size=1), max_size=8),
    blanks=st.lists(st.sampled_from([" ", "\n", "\t\r\n"])),
)
def test_tokens_ignores_how_words_are_parted(words: list[str], blanks: list[str]) -> None:
    """Any ASCII blanks between words are equal to tokens."""
    parted = "".join(word + (blanks[place] if place < len(blanks) else " ") for place, word in enumerate(words))
    assert agree("tokens", " ".join(words).encode(), parted.encode())


@given(value=NUMBERS)
def test_tokens_takes_numbers_that_are_close(value: float) -> None:
    """A fraction may differ by a millionth, absolute or of its size, and not by ten."""
    step = 1e-6 * max(1.0, abs(value))
    assert agree("tokens", b"%.9f" % value, b"%.9f" % (value + step / 2))
    assert not agree("tokens", b"%.9f" % value, b"%.9f" % (value + step * 10))


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (b"0.5", b".5"),
        (b"5.0", b"5"),
        (b"1e3", b"1000.0"),
        (b"1.5", b"+1.5"),
        (b"2.0", b"2.0000001"),
        (b"1000000.0", b"1000000.5"),
        (b"-0", b"0"),
        (b"007", b"7"),
        (b"1.0", b"1.000001"),
        (b"5", b"5.0"),
        (b"5", b"+.5e1"),
        (b"0", b"-0.0"),
        (b"9007199254740993", b"9007199254740993.0"),
    ],
)
def test_tokens_takes_a_number_in_any_form(expected: bytes, actual: bytes) -> None:
    """Equal numbers agree however they are written."""
    assert agree("tokens", expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (b"nan", b"NaN"),
        (b"inf", b"Infinity"),
        (b"1.0", b"1_0.0"),
        (b"1000", b"1_000"),
        (b"1.0", "١.٠".encode()),
        (b"16.0", b"0x10"),
        (b"1.5", b"1,5"),
        (b"1.5", b"1.5f"),
        (b"1.0", b"1.0e"),
        (b"1.0", b"--1.0"),
        (b"1e400", b"1e401"),
        (b"1.0", b"nan"),
        (b"0.1", b"0.100002"),
        (b"5", b"-5"),
    ],
)
def test_tokens_takes_plain_decimal_numbers_only(expected: bytes, actual: bytes) -> None:
    """Names, other digits, separators and what a double cannot hold are words, which have to be equal."""
    assert not agree("tokens", expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (b"1000000007", b"1000000008"),
        (b"1000000", b"1000001.0"),
        (b"1000000007", b"1000001006.5"),
        (b"2", b"2.0000001"),
        (b"9007199254740992", b"9007199254740993.0"),
        (b"0", b"1e-99999999999999999999"),
        (b"5", b"5e999999999"),
        (b"1", b"1e99999999999999999999"),
    ],
)
def test_whole_numbers_have_to_be_equal(expected: bytes, actual: bytes) -> None:
    """A large count that is off by one is wrong, though it is within a millionth, however it is written."""
    assert not agree("tokens", expected, actual)
    assert not agree("tokens:0.01", expected, actual)


# Made to hang a checker, or to fill the memory: what each is called, and a million or two of it.
MANY = 2_000_000
HOSTILE = {
    "exponent": b"1e999999999999",
    "nines": b"1e" + b"9" * MANY,
    "zero exponent": b"1.5 2e" + b"0" * MANY + b"1",
    "digits": b"1" * MANY,
    "zeros": b"1." + b"0" * MANY,
    "signs": b"-" * MANY + b"1",
    "blanks": b" " * MANY + b"x",
    "inner blanks": b"1" + b" " * MANY + b"x",
    "separators": b"\x1c" * MANY + b"x",
    "wide blanks": "\u2003".encode() * MANY,
    "inner wide blanks": b"x" + "\u2003".encode() * MANY + b"x",
    "empty lines": b"\n" * MANY + b"x",
    "returns": b"\r" * MANY + b"x",
    "zero bytes": b"\0" * MANY,
    "no utf-8": b"\xff" * MANY,
    "words": b"1 " * MANY,
    "equal lines": b"1.5 2\n" * (MANY // 4),
    "lines": b"\n".join(b"%d" % number for number in range(MANY // 4)),
}


@each_checker
@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_output_is_wrong_in_time(name: str, kind: str) -> None:
    """Output made to hang a checker neither hangs it nor makes it fail."""
    assert checker(name)(b"1.5 2", HOSTILE[kind]) is Verdict.wrong_answer
    assert checker(name)(HOSTILE[kind], b"1.5 2") is Verdict.wrong_answer
