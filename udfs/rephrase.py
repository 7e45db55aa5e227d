"""A statement that asks for a function becomes one that asks for a program, without the words of one language."""

from __future__ import annotations

import re

OPENING = 200  # characters in which a statement says what to write

# In these patterns a blank stands for one to three blanks or line ends. Every repetition is bounded: a hostile
# statement must not cost more than its length.
_WRITE = "\\bwrite (?:an? |the )?(?:(?:python|simple|lambda|new|single) ){0,3}"
_USING = ",? ?\\b(?:(?:by|with|the) ){0,3}(?:using|use of|help of) (?:an? |the )?"
_PATTERNS: tuple[tuple[str, str], ...] = (
    (_WRITE + "function (?:that|which) (?:takes?|accepts?) (?:in )?", "Write a program that reads "),
    (_WRITE + "(?:function|code|program|method|script)\\b", "Write a program"),
    (_USING + "(?:map and )?lambda(?: functions?| expressions?)?\\b", ""),
    (_USING + "map function\\b", ""),
    (_USING + "[a-z_]{1,20} (?:module|library)\\b", ""),
    ("\\b(?:the|this|your) function should return\\b", "the program should print"),
    ("\\bfunction should return\\b", "program should print"),
    ("\\bwhere function returns\\b", "where the program prints"),
    ("\\breturn(s?)\\b", r"print\1"),
    ("\\b(?:in|with|using) python\\b", ""),
    ("\\bpython(?:'s)? ", ""),
    ("\\bpython\\b", "the language"),
    ("\\btuples? lists?\\b|\\blists? of tuples\\b", "list of sequences"),
    ("\\btuple('s|s?)\\b", r"sequence\1"),
    ("\\bdictionaries\\b|\\bdicts\\b", "maps"),
    ("\\bdictionary\\b|\\bdict\\b", "map"),
    ("\\bfrozenset(s?)\\b", r"set\1"),
    ("\\bstr\\b", "text"),
    ("\\bint(s?)\\b", r"integer\1"),
    ("\\bfloat(s?)\\b", r"decimal number\1"),
    ("\\b(None|True|False)\\b", "{lower}"),
    ("[ ][ ]+", " "),
    ("[ ]([.,;])", r"\1"),
)


def _spaced(pattern: str) -> str:
    return re.sub(r"(?<!\[) (\??)", lambda found: r"\s{0,3}" if found[1] else r"\s{1,3}", pattern)


_RULES = tuple((re.compile(_spaced(pattern), re.IGNORECASE), replacement) for pattern, replacement in _PATTERNS)


def rephrased(statement: str, function: str) -> str:
    """The statement for a program; one that no rule turns into a request for a program gets a neutral opening."""
    text = statement.strip()
    if function and function in text:
        text = _naming(function).sub("the program", text)
    for pattern, replacement in _RULES:
        text = pattern.sub(_lowered if replacement == "{lower}" else replacement, text)
    text = text.strip()
    if text and "write a program" not in text[:OPENING].lower():
        text = f"Solve the following for the input described below: {text}"
    return text if not text or text[-1] in ".?!:)`" else f"{text}."


def _lowered(found: re.Match[str]) -> str:
    return found[0].lower()


def _naming(function: str) -> re.Pattern[str]:
    """Where the text names the function: a plain English word does so only as code or with its arguments."""
    word = rf"\b{re.escape(function)}\b"
    arguments = r"\([^()]{0,200}\)"
    if re.fullmatch("[A-Za-z]?[a-z]*", function):
        return re.compile(rf"`{word}(?:{arguments})?`|{word}{arguments}")
    return re.compile(rf"`{word}(?:{arguments})?`|{word}(?:{arguments})?")
