"""Every trainer format yields lines of JSON from the rows of a release."""

from __future__ import annotations

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from tasklake.jobs.release import exports, formats
from tasklake.quality.tables import Role, all_tables

VALUES: dict[str, Any] = {"string": "text with a line\nand ü, \u2028, \U0001f9ea", "int": 2, "bigint": 2}


def row(table: str, **own: Any) -> dict[str, Any]:
    """The row of a release: key and content of its table, with values of the right type."""
    columns = [column for column in all_tables()[table].columns if column.role is not Role.PROVENANCE]
    return {column.name: VALUES[column.type] for column in columns} | own


CASES = [{"ordinal": n, "input": f"{n}\n", "output": f"{n + 1}\n"} for n in range(2)]
TASKS = {name: row("tasks", task_id=name, cases=CASES, licence="CC0-1.0") for name in ("t-one", "t-two")}
SAMPLES = [
    row("samples", sample_id=f"s-{name}", task_id=name, language=language, program="print(1)")
    for name in TASKS
    for language in ("lua", "python")
]

each_format = pytest.mark.parametrize("name", formats())


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{exports.__name__}.{name}")


@each_format
def test_a_format_says_what_one_line_is(name):
    """The list of formats tells a person which one to take."""
    assert module(name).DOC.startswith("one line per ")


@each_format
def test_a_format_yields_json(name):
    """Each row is a JSON object, written without help and read back equal."""
    rows = list(module(name).rows(TASKS, SAMPLES))
    assert rows
    for each in rows:
        assert isinstance(each, dict)
        assert json.loads(json.dumps(each, allow_nan=False)) == each


@each_format
def test_the_lines_of_a_format_have_the_same_keys(name):
    """A reader that takes the schema of the first line reads all of them."""
    assert len({frozenset(each) for each in module(name).rows(TASKS, SAMPLES)}) == 1


@each_format
def test_a_line_can_be_traced_to_its_task(name):
    """Each line names the task that it comes from; every task has lines."""
    assert {each["task_id"] for each in module(name).rows(TASKS, SAMPLES)} == set(TASKS)


@each_format
def test_nothing_in_nothing_out(name):
    """An empty release is an empty file."""
    assert list(module(name).rows({}, [])) == []


@each_format
def test_the_samples_may_be_read_once(name):
    """Samples come as a stream: a format that reads them twice would lose them."""
    assert list(module(name).rows(TASKS, iter(SAMPLES))) == list(module(name).rows(TASKS, SAMPLES))
