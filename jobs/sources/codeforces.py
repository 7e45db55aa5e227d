"""open-r1/codeforces: contest problems with official tests; trusted solutions come from open-r1/codeforces-cots.

Not covered: interactive problems, problems that read and write files, and problems with a generated checker, all of
which are refused with a reason; generated tests, which lie in files of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasklake.sandbox_exec.extract import extract_program
from tasklake.udfs.rows import RowError

LICENCE = "CC-BY-4.0"
REVISION = "open-r1/codeforces and open-r1/codeforces-cots (solutions_py) as of 2025-05"
VERSION = "2"
CASES = "[{input:string,output:string}]"
SCHEMA = {
    "id": "string",
    "title": "string?",
    "description": "string?",
    "input_format": "string?",
    "output_format": "string?",
    "interaction_format": "string?",
    "note": "string?",
    "examples": CASES + "?",
    "official_tests": CASES + "?",
    "input_mode": "string?",
    "generated_checker": "string?",
    "executable": "bool?",
}
SOLUTION_SCHEMA = {"id": "string", "generation": "string", "finish_reason": "string?"}


def problem(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a problem in the style of stdin/stdout, its cases being examples and official tests."""
    _refuse_unsupported(row)
    cases = [*(row.get("examples") or []), *(row.get("official_tests") or [])]
    known: dict[str, dict[str, str]] = {}
    for case in cases:
        known.setdefault(case["input"], {"input": case["input"], "output": case["output"]})
    note = f"\n\n{row['note']}" if row.get("note") else ""
    return {
        "source_id": row["id"],
        "style": "stdio",
        "title": row.get("title") or "",
        "statement": (row.get("description") or "") + note,
        "input_format": row.get("input_format") or "",
        "output_format": row.get("output_format") or "",
        "cases": list(known.values()),
    }


def _refuse_unsupported(row: Mapping[str, Any]) -> None:
    if row.get("interaction_format") or row.get("executable") is False:
        raise RowError("interactive", "the problem is interactive or marked as not executable")
    if row.get("input_mode") not in (None, "", "stdio"):
        raise RowError("not_stdio", f"the program reads from a {row['input_mode']}, not from standard input")
    if row.get("generated_checker"):
        raise RowError("needs_checker", "several outputs are right for one input; only a checker program can tell")


def solution(row: Mapping[str, Any]) -> dict[str, Any]:
    """The Python program in a recorded chain of thought."""
    found = extract_program(row["generation"], ("python", "py", "python3"))
    if found.program is None:
        raise RowError("no_program", f"the generation holds no program ({found.rule})")
    return {"source_id": row["id"], "language": "python", "program": found.program}
