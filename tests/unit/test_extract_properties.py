"""Whatever the answer, extraction ends in time with a documented rule, and takes what CommonMark and a reader would."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasklake.sandbox_exec.extract import extract_program

TAGS = ("lua", "lua5.4")
FOUND = {"tagged", "untagged", "other_tag"}
MISSING = {"no_program", "truncated", "empty_block"}
LINE = st.text(alphabet="ab `~\t-1.<>{}", max_size=12)
# What answers are made of: fences, marks, containers, blanks, and what only looks like one of them.
FENCES = ("```", "```lua", "~~~~", "````", "``` `", "```md", "{.lua}")
MARKS = ("</think>", "<think>", "[THINK]", "[/THINK]", "</a>")
AROUND = ("- ", "1. ", "> ", ">", "  ", "    ", "\t", "\n", "\n", "\n", "\r\n")
PIECES = st.sampled_from((*FENCES, *MARKS, *AROUND, "x", "\r", "\0", "\ud800", "\u2028"))
ANSWER = st.lists(PIECES, max_size=30).map("".join)


def found(answer: str) -> tuple[str | None, str]:
    made = extract_program(answer, TAGS)
    return made.program, made.rule


@given(answer=st.one_of(ANSWER, st.text()))
def test_any_answer_has_one_of_the_known_results(answer: str) -> None:
    """No answer makes extraction fail; the rule tells whether there is a program."""
    program, rule = found(answer)
    assert rule in (MISSING if program is None else FOUND)
    assert program is None or (program.strip() and program.endswith("\n"))


@given(answer=ANSWER)
def test_line_ends_make_no_difference(answer: str) -> None:
    """An answer with CRLF gives what the same answer with LF gives."""
    answer = answer.replace("\r", "")
    assert found(answer.replace("\n", "\r\n")) == found(answer)


@given(answer=ANSWER)
def test_program_is_a_part_of_the_answer(answer: str) -> None:
    """The lines of a program follow each other in the answer, in which only what indents or quotes them is more."""
    assume("THINK" not in answer and "think" not in answer)
    program = found(answer)[0]
    if program is None:
        return
    lines = answer.replace("\r\n", "\n").split("\n")
    held = program.split("\n")[:-1]
    starts = range(len(lines) - len(held) + 1)
    # Of a tab that begins left of its fence, spaces may be left.
    assert any(all(lines[at + n].endswith(line.lstrip(" ")) for n, line in enumerate(held)) for at in starts)
    if not re.search(r"^[ \t>]|^(-|1\.) ", answer.replace("\r\n", "\n"), re.MULTILINE):
        assert program in answer.replace("\r\n", "\n")


@dataclass(frozen=True)
class Shape:
    """How a model may write down a program: its fence, and what stands before each line of it."""

    mark: str
    info: str
    first: str
    other: str

    def written(self, lines: Sequence[str]) -> str:
        return "\n".join([self.first + self.mark + self.info, *(self.other + line for line in [*lines, self.mark])])


LISTS = (("- ", "  "), ("1. ", "   "), ("- a\n\n  ", "  "), ("1. a\n   - b\n\n     ", "     "), ("- a\n\n\t", "\t"))
QUOTES = (("> ", "> "), (">", ">"), ("> > ", "> > "), ("> - ", ">   "), ("> 1. a\n>\n>    ", ">    "))
CONTAINERS = st.sampled_from((("", ""), (" ", " "), ("   ", "   "), *LISTS, *QUOTES))
INFO = st.sampled_from(["lua", " lua", "Lua", "{.lua}", "lua title=x", "lua,ignore", "lua:a.lua", "a.lua", "lua5.4"])
# Longer than any fence inside of the programs.
LONG = st.sampled_from(["`" * 13, "~" * 13])
SHAPES = st.builds(lambda mark, info, at: Shape(mark, info, *at), LONG, INFO, CONTAINERS)
# Closed blocks, thoughts and words that are no program in Lua, or a shorter one.
THOUGHTS = ("<think>\n```lua\nB\n```\n</think>\n", "thought\n```lua\n</think>")
BEFORE = st.sampled_from(("", "Here:\n", *THOUGHTS, "```\n5\n```\n", "```python\nB\n```\n\n"))
SHOWN = ("\n\n```\n5\n```", "\n```text\n5\n```\nbye\n", "\n- a\n\n~~~\n5\n~~~\n")
AFTER = st.sampled_from(("", "\nbye", *SHOWN, "\n```python\nB\n```"))
# A block is kept from losing its first blanks by a line that has none.
PROGRAM = st.lists(LINE, max_size=8).map(lambda lines: ["a", *lines])


@given(shape=SHAPES, lines=PROGRAM, before=BEFORE, after=AFTER)
def test_any_program_survives_in_any_shape(shape: Shape, lines: list[str], before: str, after: str) -> None:
    """A program in a fence longer than any of its own comes out as it went in, wherever the fence stands."""
    # Behind a mark of its own width a tab is as wide as what is left of it, and one blank belongs to the quote.
    if "\t" in shape.other or ">" in shape.other:
        lines = [line.replace("\t", " ") for line in lines]
    if shape.other == ">":
        lines = [line.lstrip() for line in lines]
    program = "".join(f"{line}\n" for line in lines)
    assert found(before + shape.written(lines) + after) == (program, "tagged")
    assert found((before + shape.written(lines) + after).replace("\n", "\r\n")) == (program, "tagged")


@given(shape=SHAPES, lines=PROGRAM, before=BEFORE, data=st.data())
def test_no_part_of_an_answer_gives_a_part_of_its_program(
    shape: Shape, lines: list[str], before: str, data: st.DataObject
) -> None:
    """However early an answer is cut, it gives the whole program or none of it."""
    lines = [line.replace("\t", " ") for line in lines]
    answer = shape.written(lines)
    # A cut in a list item or in a word of the fence may leave another fence, but never a line of the program.
    cut = data.draw(st.integers(min_value=len(shape.first + shape.mark), max_value=len(answer) - 1))
    assert found(before.partition("```")[0] + answer[:cut]) == (None, "truncated")


@given(st.lists(LINE, max_size=12))
def test_any_lines_survive_a_fence_that_is_long_enough(lines: list[str]) -> None:
    """Programs that begin with blanks or hold nothing else, too, are what stands between the fences."""
    program = "".join(f"{line}\n" for line in lines)
    expected = (program, "tagged") if program.strip() else (None, "empty_block")
    assert found(f"Here:\n{'`' * 20}lua\n{program}{'`' * 20}\n") == expected


OPENING = ("```", "```t", "````", "````t", "~~~", "~~~t", "~~~ `t", "  ```", "    ```", " ```t", "\t```", "``", "```t`")
QUOTED = ("> ```", "> ```t", "> x", ">", "> > x", "> > ```", ">    ```", "> ~~~t")
MARKDOWN = st.lists(st.sampled_from((*OPENING, *QUOTED, "", "x", "   x", "      x", "\tx")), max_size=12)


@given(lines=MARKDOWN)
def test_blocks_are_those_of_commonmark(lines: list[str]) -> None:
    """Outside of lists, the last block with a tag is the one that a CommonMark parser finds, content and all."""
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    # Each fence gets a tag of its own, or the longer of two blocks would count.
    text = "\n".join(line.replace("t", f"t{number}x") for number, line in enumerate(lines))
    for fence in parser.parse(f"{text}\n"):
        if fence.type != "fence" or not re.fullmatch("t[0-9]+x", fence.info):
            continue
        made = extract_program(text, [fence.info])
        if made.program is not None:
            assert [line.lstrip() for line in made.program.split("\n")] == [
                line.lstrip() for line in fence.content.split("\n")
            ]
        elif made.rule == "truncated":
            assert fence.map[1] >= len(text.rstrip().split("\n"))
        else:
            assert (made.rule, fence.content.strip()) == ("empty_block", "")


LEXICAL = ("`", "~", "`\n", "``` `", "```\n", "```lua\n", "```md\n", "```lua\nx\n```\n", "{", ".", "1", "<b>")
SPACED = (" ", "\t", "\n", "\u3000", "\n\t", "- ", "\n- ", "1. ", "> ", ">", "\n  - ```\n", "\n> ```lua\n> x")


@pytest.mark.parametrize("end", ["x", "", "}", "\n```"])
@pytest.mark.parametrize("piece", [*LEXICAL, *SPACED, "<think>", "</think>", "\n<think>"])
def test_time_grows_with_length_alone(piece: str, end: str) -> None:
    """Eight times the text takes nowhere near the sixty-four times of a quadratic search."""

    def spent(size: int) -> float:
        answer = "```" + piece * (size // len(piece)) + end
        begin = time.process_time()
        extract_program(answer, TAGS)
        return time.process_time() - begin

    assert spent(400_000) <= 32 * min(spent(50_000) for _ in range(3)) + 0.05
