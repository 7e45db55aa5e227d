"""A solution becomes one Python program that reads a case from standard input and writes its output."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from importlib import resources

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.udfs.grammar.model import Grammar

CODEC = ("nodes", "canon", "writing", "reading")  # in the order in which they need each other
FUTURE = re.compile(r"^from __future__ import [^\n;]*$\n?", re.MULTILINE)

# First, so that nothing that the solution prints or reads can reach the case's channels, and so that a block under
# `if __name__ == "__main__"` stays asleep.
OPENING = """\
import builtins as _tasklake_builtins, os as _tasklake_os, sys as _tasklake_sys
_tasklake_input, _tasklake_output = _tasklake_sys.stdin.buffer.read(), _tasklake_sys.stdout.buffer
_tasklake_sys.stdout = _tasklake_builtins.open(_tasklake_os.devnull, "w")
_tasklake_sys.modules["solution"] = _tasklake_sys.modules["__main__"]
__name__ = "solution"
"""

# The codec runs in a namespace of its own: a solution may call its function `sum`, or a variable `list`.
CLOSING = """\
_tasklake_codec = {{"__name__": "tasklake_codec"}}
_tasklake_builtins.exec(r'''{codec}''', _tasklake_codec)
_tasklake_spec = _tasklake_codec["json"].loads(r'''{spec}''')
_tasklake_arguments = _tasklake_codec["read_arguments"](_tasklake_input.decode("utf-8"), _tasklake_spec)
_tasklake_result = {entry_point}(*_tasklake_arguments[0], **_tasklake_arguments[1])
_tasklake_output.write(_tasklake_codec["write_result"](_tasklake_result, _tasklake_spec).encode("utf-8"))
_tasklake_output.flush()
"""


def adapted(solution: str, setup: str, grammar: Grammar, entry_point: str) -> str:
    """The program: the solution, the setup code, then the reader and writer of the grammar around the entry point."""
    if not entry_point.isidentifier():
        raise TasklakeError(f"entry point {entry_point[:60]!r} is no function name: reformulate the problem again")
    body = "\n".join(text.replace("\r\n", "\n").rstrip() for text in (solution, setup) if text.strip())
    futures = "".join(f"{line.strip()}\n" for line in FUTURE.findall(body))
    closing = CLOSING.format(codec=codec_source(), spec=grammar.to_json(), entry_point=entry_point)
    return f"{futures}{OPENING}\n{FUTURE.sub('', body)}\n\n{closing}"


@lru_cache(maxsize=1)
def codec_source() -> str:
    """The package's own encoder and decoder as one text without project imports."""
    folder = resources.files("tasklake.udfs.grammar")
    parts = [_without_imports((folder / f"{name}.py").read_text(encoding="utf-8")) for name in CODEC]
    return "from __future__ import annotations\nimport json\n" + "\n\n".join(parts) + "\n"


def _without_imports(source: str) -> str:
    """The source without its module docstring and its imports from the future and from the project."""
    lines = source.splitlines()
    for index, node in enumerate(ast.parse(source).body):
        project = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in (
            "__future__",
            "tasklake",
        )
        if project or (index == 0 and isinstance(node, ast.Expr)):
            first, last = node.lineno - 1, node.end_lineno or node.lineno
            lines[first:last] = [""] * (last - first)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
