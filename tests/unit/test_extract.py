"""A program is taken from an answer as a reader would take it, and none is taken where the reader would see none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklake.sandbox_exec.extract import Extraction, extract_program
from tasklake.sandbox_exec.languages import Language, load_languages

TAGS = ("lua", "lua5.4")
LINE = st.text(alphabet="ab `~\t-1.<>{}", max_size=12)


def found(answer: str) -> tuple[str | None, str]:
    made = extract_program(answer, TAGS)
    return made.program, made.rule


@pytest.mark.parametrize(
    "head", ["lua", "Lua", " lua", "{.lua}", "{lua}", "lua title=x", "lua{1,3}", "lua,ignore", "lua:a"]
)
def test_tag_may_be_written_in_any_usual_form(head: str) -> None:
    """The first word of the info string is the tag, whatever stands around it."""
    assert found(f"```{head}\nA\n```\n```\nB\n```") == ("A\n", "tagged")


@pytest.mark.parametrize(
    "answer",
    [
        "```lua\nA\n```",
        "```lua\nA\n```   \t\nbye",
        "```lua\r\nA\r\n```\r\n",
        "~~~lua\nA\n~~~",
        "````lua\nA\n`````",
        "  ```lua\n  A\n  ```",
        "1. Run it:\n\n   ```lua\n   A\n   ```\n",
        "- outer\n    - inner\n\n      ```lua\n      A\n      ```\n",
        "- ```lua\n  A\n  ```",
        "<think>\n```lua\nB\n```\n</think>\n```lua\nA\n```",
        "<think>\n```lua\nB\n</think>\n```lua\nA\n```",
        "maybe\n```lua\nB\n```\n</think>\n```lua\nA\n```",
        "```lua\nB\n```\nbetter:\n```lua\nA\n```",
        "```lua\nA\n```\n```text\n5\n```",
        "```lua\nA\n```\n```bash\nlua main.lua\n```",
        "```lua\nA\n```\nOutput:\n```\n5\n```",
        "```lua\nA\n```\n```python\nB\n```",
        "```lua5.4\nA\n```",
        "```lua\nA\n```\nIt prints\n```text\n5",
        "```lua\nA\n```\n```\n",
    ],
)
def test_program_is_the_last_block_of_the_language(answer: str) -> None:
    """The last block with the language's tag is the program, without fence, indentation and thinking."""
    assert found(answer) == ("A\n", "tagged")


def test_untagged_block_is_the_next_best() -> None:
    """Without a block of the language the last untagged one is it; other languages and runs are passed over."""
    answer = "```\nB\n```\n```\nA\n```\n```python\nC\n```\n```console\n$ lua\n```"
    assert found(answer) == ("A\n", "untagged")


def test_other_tag_is_the_last_resort() -> None:
    """A block with a wrong tag is taken only where there is no other."""
    assert found("```python\nA\n```\n```output\n5\n```") == ("A\n", "other_tag")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "print(5)",
        "use `print` or ```print(1)``` for that",
        "```print(1)```",
        "so: ```lua\nis how a fence begins",
        "```text\n5\n```",
        "```bash\nlua main.lua\n```",
        "    ```lua\n    A\n    ```",
        "<think>done</think> I cannot solve this.",
        "``lua\nA\n``",
    ],
)
def test_prose_is_never_a_program(answer: str) -> None:
    """An answer without a block that could be a program holds none."""
    assert found(answer) == (None, "no_program")


@pytest.mark.parametrize(
    "answer",
    [
        "```lua\nA",
        "```lua\nA\n``",
        "```lua\nA\n~~~",
        "````lua\nA\n```",
        "```lua\nB\n```\nbetter:\n```lua\nA",
        "```\nB\n```\nbetter:\n```lua\nA",
        "```\nB\n```\nbetter:\n```\nA",
        "<think>\nfirst I",
        "<think>\n```lua\nA\n```\n",
        "```lua\nA\n    ```",
    ],
)
def test_cut_answer_gives_no_earlier_draft(answer: str) -> None:
    """An answer that ends inside of its program, or of its thinking, is truncated; a draft does not replace it."""
    assert found(answer) == (None, "truncated")


@pytest.mark.parametrize("answer", ["```lua\n```", "```lua\n\n  \n```", "```lua\nA\n```\n```lua\n```"])
def test_empty_block_is_no_program(answer: str) -> None:
    """A last block with nothing in it is told as such."""
    assert found(answer) == (None, "empty_block")


def test_asked_tag_is_never_output() -> None:
    """A language whose tag otherwise marks a session, such as sh, gets its blocks."""
    assert extract_program("```sh\nA\n```\n```text\n5\n```", ("sh", "shell")).program == "A\n"


def test_indentation_of_the_program_stays() -> None:
    """Only the fence's own indentation is taken away, and other line ends than LF and CRLF stay inside lines."""
    assert found("  ```lua\n    A\n B\nC\u2028D\vE\n  ```")[0] == "  A\nB\nC\u2028D\vE\n"
    assert found("```lua\n\n  A\n\n```")[0] == "\n  A\n\n"


def test_fence_inside_a_longer_fence_is_content() -> None:
    """Shorter and other fences, and marks with words behind them, do not close a block."""
    inner = "```\n~~~\n```` x\n     ````\n"
    assert found(f"````lua\n{inner}````")[0] == inner


@pytest.mark.parametrize("pack", load_languages().values(), ids=lambda pack: pack.id)
def test_every_language_finds_its_own_blocks(pack: Language) -> None:
    """Each tag of each pack is found as its own language's, before a later untagged block."""
    tags = pack.fence_tags
    assert {extract_program(f"```{tag}\nA\n```\n```\nB\n```", tags) for tag in tags} == {Extraction("A\n", "tagged")}


@given(st.lists(LINE, max_size=12))
def test_any_program_survives_a_fence_that_is_long_enough(lines: list[str]) -> None:
    """A program in a fence longer than any of its own comes out as it went in."""
    program = "".join(f"{line}\n" for line in lines)
    expected = (program, "tagged") if program.strip() else (None, "empty_block")
    assert found(f"Here:\n{'`' * 20}lua\n{program}{'`' * 20}\n") == expected


@given(
    st.lists(
        st.sampled_from(["```", "```lua", "~~~~", "````", "- ", "1. ", "  ", "x", "</think>", "<think>", "\n", "\r\n"])
    )
)
def test_any_answer_has_one_of_the_known_results(parts: list[str]) -> None:
    """No answer makes extraction fail; the rule tells whether there is a program."""
    program, rule = found("".join(parts))
    assert (program is None) == (rule in ("no_program", "truncated", "empty_block"))
    assert program is not None or rule in ("no_program", "truncated", "empty_block")
    assert program is None or (program.strip() and rule in ("tagged", "untagged", "other_tag"))


@pytest.mark.parametrize(
    "piece",
    ["`", "~", "- ", "1. ", "```\n", "```lua\n", "``` `", "<think>", "</think>", " ", "\n", "> ", "`\n", "{", "\t"],
)
def test_time_grows_with_length_alone(piece: str) -> None:
    """Eight times the text takes nowhere near the sixty-four times of a quadratic search."""

    def spent(size: int) -> float:
        answer = "```" + piece * (size // len(piece)) + "x"
        begin = time.process_time()
        extract_program(answer, TAGS)
        return time.process_time() - begin

    assert min(spent(1_000_000) for _ in range(2)) <= 32 * min(spent(125_000) for _ in range(3)) + 0.05
