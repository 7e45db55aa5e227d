"""No code knows a language: none of the four packages asks for one by its name, or keeps a table of them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tasklake.sandbox_exec.languages import load_languages

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("jobs", "quality", "sandbox_exec", "udfs")
MODULES = sorted(path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = frozenset(name.lower() for pack in load_languages().values() for name in (pack.id, *pack.names))

SHELL = "the command sh, which starts another one; no language is meant"
REGISTRY = "the name of a registry of packages, beside pip and npm"
GRAMMAR = "a key of the grammar's nodes, such as the digits of a decimal number"
ATTACKS = "which interpreter runs an attack of the corpus, whose files are told apart by their suffix"
# (file, word): why a language is not chosen by it there.
EXCEPTIONS: dict[tuple[str, str], str] = {
    **{("sandbox_exec/adversarial/corpus.py", word): ATTACKS for word in ("c", "javascript", "lua", "perl", "python")},
    ("sandbox_exec/adversarial/corpus.py", "shell"): ATTACKS,
    ("sandbox_exec/extract.py", "bash"): "how a session at a terminal is marked in an answer: no program",
    ("sandbox_exec/extract.py", "sh"): "the same",
    ("sandbox_exec/extract.py", "shell"): "the same",
    ("sandbox_exec/installing/images.py", "python3"): "a package that the agent itself runs in",
    ("sandbox_exec/installing/registries.py", "go"): REGISTRY,
    ("sandbox_exec/languages/reading.py", "go"): REGISTRY,
    ("sandbox_exec/work.py", "sh"): SHELL,
    ("udfs/grammar/canon.py", "d"): GRAMMAR,
    ("udfs/grammar/infer.py", "d"): GRAMMAR,
    ("udfs/grammar/model.py", "node"): GRAMMAR,
    ("udfs/grammar/nodes.py", "r"): "an escape sequence: a carriage return",
}

# Methods that look for their first argument.
DECIDING = ("startswith", "endswith", "get", "pop", "setdefault", "fullmatch", "match")
Words = Iterator[tuple[int, str]]


def words(node: ast.AST | None) -> Words:
    """(line, text) of a string, or of the strings that a list, set, tuple or mapping holds."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    elif isinstance(node, ast.List | ast.Set | ast.Tuple):
        for each in node.elts:
            yield from words(each)
    elif isinstance(node, ast.Dict):
        for each in (*node.keys, *node.values):
            yield from words(each)
    elif isinstance(node, ast.Starred):
        yield from words(node.value)
    elif (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("frozenset", "set", "dict")
    ):
        for each in node.args:
            yield from words(each)


def asked(node: ast.AST) -> Words:
    """The strings by which the node chooses what is done: compared with, matched, keys, and tables of a module."""
    if isinstance(node, ast.Compare):
        for each in (node.left, *node.comparators):
            yield from words(each)
    elif isinstance(node, ast.MatchValue):
        yield from words(node.value)
    elif isinstance(node, ast.Dict):
        for key in node.keys:
            yield from words(key)
    elif isinstance(node, ast.Module):
        for each in node.body:
            if isinstance(each, ast.Assign | ast.AnnAssign) and not isinstance(each.value, ast.Constant):
                yield from words(each.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DECIDING:
        for each in node.args[:1]:
            yield from words(each)


def found(text: str, names: Collection[str] = NAMES) -> list[tuple[int, str]]:
    """(line, name) wherever one of the names decides something in that code."""
    decisive = {(line, word.lower()) for node in ast.walk(ast.parse(text)) for line, word in asked(node)}
    return sorted((line, word) for line, word in decisive if word in names)


@pytest.mark.parametrize("path", MODULES)
def test_no_code_branches_on_a_language(path: str) -> None:
    """A name of a language is compared with nothing and is no key, so that a pack of somebody else's counts as much."""
    seen = [each for each in found((ROOT / path).read_text("utf-8")) if (path, each[1]) not in EXCEPTIONS]
    assert not seen, f"{path}: {seen} decides by a language; let its pack say what is special about it"


def test_exceptions_are_still_needed() -> None:
    """What is excepted is there."""
    needless = [(path, word) for path, word in EXCEPTIONS if not found((ROOT / path).read_text("utf-8"), (word,))]
    assert not needless


@pytest.mark.parametrize(
    "code",
    [
        "if pack.id == 'lua': x()",
        "if name in ('c', 'Lua'): x()",
        "y = x if 'lua' != name else z",
        "y = {'lua': f}[name]",
        "y = {('lua', 1): f}",
        "match name:\n    case 'ocaml': pass",
        "match name:\n    case 'x' | 'ocaml': pass",
        "FAST = frozenset(('c', 'rust'))",
        "FAST: tuple[str, ...] = ('rust',)",
        "if name.startswith('ocaml'): x()",
        "y = table.get('lua')",
    ],
)
def test_a_branch_on_a_language_is_seen(code: str) -> None:
    """The test above sees each of these."""
    assert found(code)


@pytest.mark.parametrize("code", ["x = 'lua'", "x('lua')", "if name == 'lua5': x()", '"""lua"""', "y = [f('c')]"])
def test_a_word_that_decides_nothing_is_no_branch(code: str) -> None:
    """To name a language is not to choose by it."""
    assert not found(code)
