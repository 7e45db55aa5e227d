"""The program inside a model's answer: which fenced block it is, or why there is none.

Blocks whose tag names the language come before untagged ones, and those before blocks of another language; of
equals the last wins, because answers begin with drafts. Blocks that show a run, such as output or console, are never
programs. A block that the answer ends inside of takes part as if it were closed: where it would win, the answer is
truncated, and an earlier draft does not take its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Text up to the mark is thought, not answer; templates often leave out the opening mark.
THOUGHT_BEGIN, THOUGHT_END = "<think>", "</think>"
# Possessive quantifiers: a megabyte of backticks must not be tried in every length.
FENCE = re.compile(
    r"(?P<lead>[ \t]*+(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]++)*+)(?P<mark>`{3,}+|~{3,}+)(?P<info>.*)", re.DOTALL
)
LIST_ITEM = re.compile(r"[ \t]*+(?:[-*+]|[0-9]{1,9}[.)])[ \t]")
# `lua`, `{.lua}`, `lua title=x`, `lua{1,3}`, `lua,ignore`, `lua:main.lua`
TAG = re.compile(r"[ \t]*\{?[ \t]*\.?([^\s{}:,=]+)")
# CommonMark: four blanks make an indented code block, and no closing fence.
MAX_INDENT = 3
# What programs print or what is typed at a prompt. A language with such a tag of its own is asked for by it.
SHOWN = frozenset(
    (
        *("text", "txt", "plain", "plaintext", "output", "out", "stdout", "input", "stdin", "example", "none"),
        *("bash", "sh", "shell", "zsh", "console", "terminal", "shell-session", "shellsession", "cmd", "powershell"),
        *("json", "yaml", "toml", "csv", "xml", "html", "diff", "md", "markdown", "math", "latex", "mermaid"),
    )
)
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
class _Block:
    tag: str
    lines: list[str]
    closed: bool


def extract_program(answer: str, fence_tags: Sequence[str]) -> Extraction:
    """The program that the answer gives in the language of the tags, with LF line ends."""
    said = _answered(answer.replace("\r\n", "\n"))
    if said is None:
        return Extraction(None, "truncated")
    asked = frozenset(tag.lower() for tag in fence_tags)
    best, best_rank, closed = None, -1, True
    for block in _blocks(said):
        rank, closed = _rank(block.tag, asked), block.closed
        if rank >= max(best_rank, 0):
            best, best_rank = block, rank
    if best is None:
        return Extraction(None, "no_program" if closed else "truncated")
    if not best.closed:
        return Extraction(None, "truncated")
    program = "".join(f"{line}\n" for line in best.lines)
    return Extraction(program, RULES[best_rank]) if program.strip() else Extraction(None, "empty_block")


def _answered(text: str) -> str | None:
    """What follows the thinking, or None where the answer ends inside of it."""
    _, mark, after = text.rpartition(THOUGHT_END)
    if not mark and after.lstrip().startswith(THOUGHT_BEGIN):
        return None
    return after


def _rank(tag: str, asked: frozenset[str]) -> int:
    """The place of a block among RULES; below zero for what is never a program."""
    if tag in asked:
        return RULES.index("tagged")
    if not tag:
        return RULES.index("untagged")
    return -1 if tag in SHOWN else RULES.index("other_tag")


def _blocks(text: str) -> Iterator[_Block]:
    """The fenced blocks in order, by CommonMark's rules; the last may be unclosed."""
    lines, in_list = iter(text.split("\n")), False
    for line in lines:
        if LIST_ITEM.match(line):
            in_list = True
        elif line[:1].strip():
            in_list = False
        opened = _opening(line, in_list)
        if opened:
            yield _block(opened, lines)


def _opening(line: str, in_list: bool) -> re.Match[str] | None:
    """The fence that the line opens a block with; inside a list it may stand as deep as the list's items."""
    found = FENCE.match(line)
    if found is None or ("`" in found["mark"] and "`" in found["info"]):
        return None
    return found if in_list or len(found["lead"]) <= MAX_INDENT else None


def _block(opened: re.Match[str], lines: Iterator[str]) -> _Block:
    """The block that the fence opened, its lines taken from those that follow."""
    depth, tag = len(opened["lead"]), TAG.match(opened["info"])
    held: list[str] = []
    word = tag[1].lower() if tag else ""
    for line in lines:
        if _closes(line, opened["mark"], depth):
            return _Block(word, held, True)
        held.append(_shifted(line, depth))
    return _Block(word, held, False)


def _closes(line: str, mark: str, depth: int) -> bool:
    """True for a line of at least as many of the same marks, and nothing else but blanks."""
    inner = line.strip(" \t")
    if len(inner) < len(mark) or inner.strip(mark[0]):
        return False
    return len(line) - len(line.lstrip(" \t")) <= depth + MAX_INDENT


def _shifted(line: str, depth: int) -> str:
    """The line without as much of its indentation as the fence has."""
    blank = len(line) - len(line.lstrip(" \t"))
    return line[min(blank, depth) :]
