"""MBPP: about a thousand short Python problems, each with a solution and assert statements.

Reads both configurations of the data set: `full` (column text) and `sanitized` (column prompt and test_imports).
Not covered: `challenge_test_list`, whose asserts the authors themselves call hard and which some solutions fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasklake.udfs.rows import RowError

LICENCE = "CC-BY-4.0"
REVISION = "google-research-datasets/mbpp, both configurations as of 2024-01"
VERSION = "1"
SCHEMA = {
    "task_id": "int",
    "text": "string?",
    "prompt": "string?",
    "code": "string",
    "test_list": "[string]",
    "test_setup_code": "string?",
    "test_imports": "[string]?",
}


def problem(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a problem in the style of asserts, with the row's code as its oracle."""
    statement = row.get("text") or row.get("prompt")
    if not statement:
        raise RowError("missing_column", "neither text (configuration full) nor prompt (sanitized) is given")
    setup = "\n".join([*(row.get("test_imports") or []), row.get("test_setup_code") or ""]).strip()
    return {
        "source_id": str(row["task_id"]),
        "style": "asserts",
        "statement": statement,
        "setup": setup,
        "tests": list(row["test_list"]),
        "solutions": [{"language": "python", "program": row["code"].replace("\r\n", "\n")}],
    }
