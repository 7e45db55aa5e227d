"""A program is taken from an answer as a reader would take it, and none is taken where the reader would see none."""

from __future__ import annotations

import pytest

from tasklake.sandbox_exec.extract import Extraction, extract_program
from tasklake.sandbox_exec.languages import Language, load_languages

TAGS = ("lua", "lua5.4")


def found(answer: str) -> tuple[str | None, str]:
    made = extract_program(answer, TAGS)
    return made.program, made.rule


@pytest.mark.parametrize(
    "head",
    ["lua", "Lua", " lua", "{.lua}", "{ .lua }", "{lua}", "lua title=x", "lua{1,3}", "lua,ignore", "lua:a", "main.lua",
     "src/main.lua", "lua5.1", "lua-5.3"],
)  # fmt: skip
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
        "> Run it:\n>\n> ```lua\n> A\n> ```\n",
        ">```lua\n>A\n>```",
        "> > ```lua\n> > A\n> bye",
        "> 1. Run it:\n>\n>    ```lua\n>    A\n>    ```\n",
        "> ```lua\n> A\nbye",
        "1.\tRun it:\n\n\t```lua\n\tA\n\t```\n",
        "1. Run it:\n   ```lua\nA\n```\n",
        "-\n    ```lua\n    A\n    ```",
        "```lua\nA\n```</answer>",
        "<answer>\n```lua\nA\n```<|im_end|>\n",
        "```markdown\nHere:\n\n```lua\nA\n```\n\nDone.\n```\nbye",
        "````md\n```lua\nA\n```\n````\n",
        "```lua\nA\n```\n```markdown\n# no program\n```\n```\nB\n```",
        "```lua\nA\n```\n```markdown\n# no program",
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
        "<thinking>\n```lua\nB\n```\n</thinking>\n```lua\nA\n```",
        "[THINK]\n```lua\nB\n```\n[/THINK]```lua\nA\n```",
        "<seed:think>\n```lua\nB\n</seed:think>```lua\nA\n```",
        "◁think▷\n```lua\nB\n```\n◁/think▷\n```lua\nA\n```",
        "<|begin_of_thought|>\n```lua\nB\n<|end_of_thought|>\n```lua\nA\n```",
        "<think>a</think>\n```lua\nA\n```\n<think>\n```lua\nB\n```\n</think>\nIt is right.",
        "<think>a</think>\n```lua\nA\n```\n</think>\n",
        "a\n</think>\nb\n</think>\n```lua\nA\n```",
        "<think>\nI close it by </think>, then:\n```lua\nB\n```\n</think>\n```lua\nA\n```",
        "<think>\n<think>\n```lua\nB\n```\n</think>\n```lua\nA\n```",
        "```lua\nA\n```\nThe mark <think> begins a thought.",
        "<think>a</think>\n```lua\nA\n```\nThe mark </think> ends a thought.",
        "a</think>```lua\nA\n```\nThe mark </think> ends a thought.</think>",
    ],
)
def test_thoughts_are_left_out(answer: str) -> None:
    """What stands between the marks of a thought is no answer, whichever model's marks they are and wherever."""
    assert found(answer) == ("A\n", "tagged")


LONG = "".join(f"local line{number} = {number}\n" for number in range(9))
SHORT = "print(solve({1, 2, 3}))\n"


@pytest.mark.parametrize(
    "answer",
    [
        f"```lua\n{LONG}```\nExample:\n```lua\n{SHORT}```\n",
        f"```lua\n{LONG}```\nFirst it reads:\n```lua\nlocal line1 = 1\n```\nthen\n```lua\nlocal line2 = 2\n```\n",
        f"```lua\n{SHORT}```\nbetter:\n```lua\n{LONG}```\nIt is used like\n```lua\n{SHORT}```",
        f"```lua\n{SHORT * 4}```\nbetter:\n```lua\n{LONG}```\n",
    ],
)
def test_example_of_use_is_no_program(answer: str) -> None:
    """A last block of less than half an earlier one's length shows how to use that, or a part of it."""
    assert found(answer) == (LONG, "tagged")


def test_rewritten_program_replaces_its_draft() -> None:
    """A last block that is shorter, but no mere snippet, is the program; cut in its middle, it makes none."""
    shorter = "".join(LONG.splitlines(keepends=True)[:6])
    assert found(f"```lua\n{LONG}```\nshorter:\n```lua\n{shorter}```\n") == (shorter, "tagged")
    assert found(f"```lua\n{LONG}```\nshorter:\n```lua\n{SHORT}") == (None, "truncated")


def test_output_without_a_tag_is_no_program() -> None:
    """What an untagged program prints is shorter than the program, and does not take its place."""
    assert found(f"```\n{LONG}```\nIt prints\n```\n5\n```\n") == (LONG, "untagged")


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
        "\t```lua\n\tA\n\t```",
        "text\n\n    - ```lua\n      A\n      ```",
        "```yml\na: 1\n```",
        "```pseudocode\nread n\n```",
        "```notes.txt\n5\n```",
        "```markdown\n# Title\n```",
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
        "```lua\nA\n\t```",
        " ```lua\nA\n    ```",
        "> ```lua\n> A\n",
        "```markdown\n```lua\nA\n",
        "```markdown\nSo:",
        "so: ```lua\nA\n```",
        "```lua\nB\n```\n<think>\nwrong, for",
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


def test_stray_fence_takes_no_programs_place() -> None:
    """A last untagged fence with nothing behind it closed something that was closed already."""
    assert found("```\nA\n```\n```\n") == ("A\n", "untagged")


def test_program_left_of_its_fence_keeps_its_shape() -> None:
    """Where the fences alone are indented, below a list item, the program is taken as it stands."""
    body = "if a then\n  if b then\n    c()\n  end\nend\n"
    assert found(f"1. Run it:\n   ```lua\n{body}   ```\n") == (body, "tagged")
    moved = "".join(f"   {line}\n" for line in body.splitlines())
    assert found(f"1. Run it:\n   ```lua\n{moved}   ```\n") == (body, "tagged")
    tabbed = "if a then\n\tb()\nend\n"
    assert found(f"- Run it:\n  ```lua\n{tabbed}  ```\n") == (tabbed, "tagged")
    # What stands left of a program that was moved, such as a long string, does not keep it from moving back.
    assert found("   ```lua\n   a([[\nb]])\n   ```\n") == ("a([[\nb]])\n", "tagged")
    # Of a tab that begins left of the fence and ends right of it the rest stays, as CommonMark has it.
    assert found("  ```lua\n  A\n\tB\n  ```") == ("A\n  B\n", "tagged")


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
