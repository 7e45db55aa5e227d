"""The program inside a model's answer: which fenced block it is, or why there is none.

Blocks whose tag names the language come before untagged ones, and those before blocks of another language. Of equals
the last wins, because answers begin with drafts; one of less than half the length does not, because answers end with
examples of use and with parts of the program explained. Blocks that show a run, such as output or console, are never
programs; a block of Markdown is looked into, because some models wrap their whole answer in one. A block that the
answer ends inside of takes part as if it were closed: where it would win, the answer is truncated, and an earlier
draft does not take its place.

Blocks are those of CommonMark, read as generously as what people and models write asks for: see FENCE and _moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# What is thought is no answer. The marks of reasoning models (DeepSeek and Qwen, Gemini, Seed, Mistral, Kimi, Sky-T1);
# an opening one that is only spoken of stands inside a line.
THOUGHT = re.compile(
    r"(?P<begin>^[ \t]*+(?:<(?:think|thinking|thought|seed:think)>|\[THINK\]|◁think▷|<\|begin_of_thought\|>))"
    r"|</(?:think|thinking|thought|seed:think)>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>",
    re.MULTILINE,
)
# Possessive quantifiers: a megabyte of backticks must not be tried in every length.
FENCE = re.compile(
    r"(?P<lead>[ \t]*+(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]++)*+)(?P<mark>`{3,}+|~{3,}+)(?P<info>.*)", re.DOTALL
)
LIST_ITEM = re.compile(r"[ \t]*+(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")
QUOTE = re.compile(r" {0,3}> ?")
# `lua`, `{.lua}`, `lua title=x`, `lua{1,3}`, `lua,ignore`, `lua:main.lua`
TAG = re.compile(r"\{?[ \t]*+\.?([^\s{}:,=]+)")
VERSION = "0123456789.-"
# Where a template ends, its last mark may stand right behind the fence: ```</answer>, ```<|im_end|>.
TAIL = re.compile(r"(?:[ \t]*+<[^<>]{1,40}>)*+")
# CommonMark: four blanks make an indented code block, and no closing fence; a tab is as wide as they are.
MAX_INDENT = 3
TAB = 4
# Of equals, a block must be at least the 1/SHORTER-th part of an earlier one to replace it. In 18 of 24 answers of
# several blocks the last was not the longest, and in each of the 18 the longest was the program (NeMo-Gym issue 820).
SHORTER = 2
# What programs print or what is typed at a prompt. A language with such a tag of its own is asked for by it.
SHOWN = frozenset(
    (
        *("text", "txt", "plain", "plaintext", "output", "out", "stdout", "stderr", "input", "stdin", "none"),
        *("example", "sample", "result", "log", "pseudocode", "pseudo", "algorithm", "ascii", "dot", "mermaid"),
        *("bash", "sh", "shell", "zsh", "console", "terminal", "shell-session", "shellsession", "command"),
        *("cmd", "bat", "powershell", "pwsh", "ps1", "json", "yaml", "yml", "toml", "ini", "csv", "tsv", "xml"),
        *("html", "css", "svg", "diff", "md", "markdown", "math", "latex", "tex"),
    )
)
# Blocks that hold an answer of their own.
WRAPPERS = frozenset(("md", "markdown"))
# From worst to best.
RULES = ("other_tag", "untagged", "tagged")


@dataclass(frozen=True)
class Extraction:
    """The program of an answer, and the rule that found it or found none.

    With a program: tagged, untagged, other_tag. Without: no_program, empty_block, truncated.
    """

    program: str | None
    rule: str


@dataclass(frozen=True)
class _Fence:
    """A line that opens a block: how deep in quotes and how far to the right it, and what closes it, may stand."""

    quotes: int
    depth: int
    most: int
    mark: str
    tag: str


@dataclass(frozen=True)
class _Block:
    tag: str
    lines: Sequence[str]
    closed: bool

    @property
    def size(self) -> int:
        return sum(len(line.strip()) for line in self.lines)


def extract_program(answer: str, fence_tags: Sequence[str]) -> Extraction:
    """The program that the answer gives in the language of the tags, with LF line ends."""
    said = _answered(answer.replace("\r\n", "\n"))
    if said is None:
        return Extraction(None, "truncated")
    asked = frozenset(tag.lower() for tag in fence_tags)
    best, best_rank, best_size, whole = None, -1, 0, True
    for block in _blocks(said.rstrip().split("\n"), asked):
        rank, size, whole = _rank(block.tag, asked), block.size, block.closed
        # An untagged fence with nothing behind it closes something, rather than that it opens the program.
        stray = not (block.tag or block.closed or size)
        shorter = block.closed and 0 < size * SHORTER < best_size
        if not stray and (rank > best_rank or (rank == best_rank >= 0 and not shorter)):
            best, best_rank, best_size = block, rank, size
    if best is None:
        return Extraction(None, "no_program" if whole else "truncated")
    if not best.closed:
        return Extraction(None, "truncated")
    program = "".join(f"{line}\n" for line in best.lines)
    return Extraction(program, RULES[best_rank]) if best_size else Extraction(None, "empty_block")


def _answered(text: str) -> str | None:
    """The text without what is thought, or None where it ends inside of a thought."""
    said: list[str] = []
    begin, inside, end = 0, False, len(text.rstrip())
    for mark in THOUGHT.finditer(text):
        if mark["begin"] is not None:
            said += [] if inside else [text[begin : mark.start()]]
            inside = True
            continue
        if not inside and begin and mark.end() == end:
            # An earlier mark, repeated.
            said.append(text[begin : mark.start()])
        elif not inside and begin and "\n" not in (text[mark.start() - 1], text[mark.end()]):
            # Within a line of the answer, such as print("</think>"), it is only spoken of.
            continue
        elif not inside:
            # All before a mark that nothing opened is thought: templates often leave out the opening one.
            said.clear()
        begin, inside = mark.end(), False
    # Joined by line ends, for a fence may stand right behind a mark.
    return None if inside else "\n".join([*said, text[begin:]])


def _rank(tag: str, asked: frozenset[str]) -> int:
    """The place of a block among RULES; below zero for what is never a program."""
    if tag in asked:
        return RULES.index("tagged")
    if not tag:
        return RULES.index("untagged")
    return -1 if tag in SHOWN else RULES.index("other_tag")


def _blocks(lines: Sequence[str], asked: frozenset[str]) -> Iterator[_Block]:
    """The fenced blocks in order, by CommonMark's rules; the last may be unclosed."""
    place, in_list, wrapper = 0, False, None
    while place < len(lines):
        quotes, line = _unquoted(lines[place])
        place += 1
        indent = _width(line[: len(line) - len(line.lstrip(" \t"))])
        if LIST_ITEM.match(line) and (in_list or indent <= MAX_INDENT):
            in_list = True
        elif line.strip() and not indent:
            in_list = False
        if wrapper is not None and _closes(line, wrapper):
            wrapper = None
            continue
        fence = _opened(line, quotes, in_list, asked)
        if fence is None:
            continue
        if wrapper is None and fence.tag in WRAPPERS and fence.tag not in asked:
            wrapper = fence
            continue
        block, place = _block(fence, lines, place)
        yield block
    if wrapper is not None:
        yield _Block(wrapper.tag, (), False)


def _opened(line: str, quotes: int, in_list: bool, asked: frozenset[str]) -> _Fence | None:
    """The fence that the line opens a block with; inside a list it may stand as deep as the list's items."""
    found = FENCE.match(line)
    if found is None or ("`" in found["mark"] and "`" in found["info"]):
        return None
    depth = _width(found["lead"])
    if depth > MAX_INDENT and not in_list:
        return None
    most = MAX_INDENT + (depth if in_list else 0)
    return _Fence(quotes, depth, most, found["mark"], _tag(found["info"], asked))


def _tag(info: str, asked: frozenset[str]) -> str:
    """The tag in the words behind a fence: as it is known, where a file's name or a version hides it."""
    found = TAG.match(info.strip())
    tag = found[1].lower() if found else ""
    # lua, main.lua, lua5.3
    forms = (tag, tag.rpartition(".")[2], tag.rstrip(VERSION))
    return next((form for form in forms if form in asked or form in SHOWN), tag)


def _block(fence: _Fence, lines: Sequence[str], place: int) -> tuple[_Block, int]:
    """The block that the fence opened, its lines taken from the place on, and the place behind it."""
    held: list[str] = []
    for at in range(place, len(lines)):
        quotes, line = _unquoted(lines[at], fence.quotes)
        if quotes < fence.quotes:
            # What a quote holds ends with the quote, and the next line is read again; one of nothing but marks is cut.
            ended = at + 1 < len(lines) or bool(line.strip())
            return _Block(fence.tag, _moved(held, fence.depth), ended), at
        if _closes(line, fence):
            return _Block(fence.tag, _moved(held, fence.depth), True), at + 1
        held.append(line)
    return _Block(fence.tag, _moved(held, fence.depth), False), len(lines)


def _unquoted(line: str, most: int | None = None) -> tuple[int, str]:
    """How many quotes the line stands in, at most so many, and the line without their marks."""
    quotes = begin = 0
    while quotes != most and (mark := QUOTE.match(line, begin)):
        quotes, begin = quotes + 1, mark.end()
    return quotes, line[begin:]


def _closes(line: str, fence: _Fence) -> bool:
    """True for a line of at least as many of the same marks, and nothing else but blanks and a template's tail."""
    inner = line.strip(" \t")
    rest = inner.lstrip(fence.mark[0])
    if len(inner) - len(rest) < len(fence.mark) or not TAIL.fullmatch(rest):
        return False
    return _width(line[: len(line) - len(line.lstrip(" \t"))]) <= fence.most


def _moved(lines: list[str], depth: int) -> list[str]:
    """The lines without as much of their indentation as the fence has.

    A program whose first line stands left of its fence was not moved with it: below a list item people indent the
    fences and forget the program. CommonMark would then take from each line what it has, and with it the structure.
    """
    first = next((line for line in lines if line.strip(" \t")), "")
    depth = min(depth, _width(first[: len(first) - len(first.lstrip(" \t"))]))
    return [_shifted(line, depth) for line in lines] if depth else lines


def _shifted(line: str, depth: int) -> str:
    """The line without its first blanks up to that width; of a tab across it the rest stays, as spaces."""
    width = taken = 0
    while width < depth and line[taken : taken + 1] in (" ", "\t"):
        width += TAB - width % TAB if line[taken] == "\t" else 1
        taken += 1
    return " " * (width - depth) + line[taken:]


def _width(lead: str) -> int:
    """The column that follows the text."""
    return len(lead.expandtabs(TAB))
