"""Every corpus says where it comes from, reads the true schema, and refuses a row that is not in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tasklake.jobs.config import UsageError
from tasklake.jobs.sources import DEFAULTS, REQUIRED, Mapper, load_source, source_names
from tasklake.udfs.rows import RowError, checked

SCHEMAS = Path("/work/shared/data/schemas/hf_schemas.json")
NAMES = source_names()
# Beyond these a problem has no column.
FIELDS = {*REQUIRED, *DEFAULTS, "licence"}
# How a data set's own types are written in a source's schema.
SPELLED = {"int32": "int", "int64": "int", "float64": "float", "float32": "float"}

# Rows of our own invention in the columns that the data sets really have.
MBPP_FULL = {
    "task_id": 9001,
    "text": "Write a function to count the gulls on a pier.",
    "code": "def gulls(pier):\r\n    return pier.count('gull')\r\n",
    "test_list": ["assert gulls(['gull', 'post']) == 1", "assert gulls([]) == 0"],
    "test_setup_code": "",
    "challenge_test_list": [],
}
MBPP_SANITIZED = {
    "source_file": "ours",
    "task_id": 9002,
    "prompt": "Write a function to halve the height of a tide.",
    "code": "def halve(tide):\n    return tide / 2\n",
    "test_imports": ["import math"],
    "test_list": ["assert math.isclose(halve(3), 1.5)"],
}
CODEFORCES = {
    "id": "9001/A",
    "aliases": None,
    "contest_id": "9001",
    "contest_name": "A round of our own",
    "contest_type": "ICPC",
    "contest_start": 1700000000,
    "contest_start_year": 2023,
    "index": "A",
    "time_limit": 2.0,
    "memory_limit": 256.0,
    "title": "Gulls",
    "description": "Count the gulls.",
    "input_format": "One line with n.",
    "output_format": "n gulls.",
    "interaction_format": None,
    "note": "A gull is a bird.",
    "examples": [{"input": "1\n", "output": "gull\n"}],
    "editorial": None,
    "rating": 800,
    "tags": [],
    "testset_size": 2,
    "official_tests": [{"input": "1\n", "output": "gull\n"}, {"input": "2\n", "output": "gull gull\n"}],
    "official_tests_complete": True,
    "input_mode": "stdio",
    "generated_checker": None,
    "executable": True,
    "generated_tests": 0,
}
COTS = {
    "id": "9001/A",
    "generation": "<think>\nCount.\n</think>\n```python\nprint(' '.join(['gull'] * int(input())))\n```\n",
    "finish_reason": "stop",
}


def example(schema: Mapping[str, str]) -> dict[str, Any]:
    """A row with a value of the right type in every column."""
    return {name: value(kind) for name, kind in schema.items()}


def value(kind: str) -> Any:
    kind = kind.removesuffix("?")
    if kind.startswith("["):
        return [value(kind[1:-1])]
    if kind.startswith("{"):
        return {name: value(of) for name, of in (part.split(":", 1) for part in kind[1:-1].split(","))}
    return {"string": "1", "int": 1, "float": 1.5, "bool": True, "any": "1"}[kind]


def columns(pattern: str) -> list[tuple[str, str, str]]:
    """(source, schema, column) for every column of every schema whose type matches."""
    return [
        (name, schema, column)
        for name in NAMES
        for schema in ("SCHEMA", "SOLUTION_SCHEMA")
        for column, kind in getattr(load_source(name), schema, {}).items()
        if re.fullmatch(pattern, kind)
    ]


def data_sets(revision: str) -> list[str]:
    """The data sets that a revision names, as owner/name."""
    return re.findall(r"[\w.-]+/[\w.-]+[\w]", revision)


@pytest.fixture(params=NAMES)
def source(request) -> ModuleType:
    """Each corpus in turn."""
    return load_source(request.param)


def test_a_source_says_what_it_is(source):
    """Licence, pinned revision, version, schema and mapping are there, and a paragraph says what it covers."""
    assert source.__doc__
    for name in ("LICENCE", "REVISION", "VERSION"):
        assert isinstance(getattr(source, name), str)
        assert getattr(source, name).strip()
    assert source.SCHEMA
    assert source.problem.__doc__


def test_a_row_in_the_schema_becomes_a_problem_or_a_reason(source):
    """A row with every column of its type is mapped to fields of a problem, or refused as a row."""
    data = json.dumps(example(source.SCHEMA)).encode()
    with Mapper("ours", source, source.LICENCE, 1024 * 1024).open()() as rows:
        (made,) = rows({"kind": "problem", "name": "rows.jsonl", "data": data})
    if made["reason"]:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", made["reason"])
        assert made["reason"] != "source_failed"
        return
    assert made["source_id"]
    assert set(made["problem"]) | {"source_id"} == FIELDS
    assert made["problem"]["style"] in ("asserts", "stdio")


def test_a_solution_comes_with_the_schema_of_its_file(source):
    """A companion file of solutions has its own schema, and the other way round."""
    assert hasattr(source, "solution") == hasattr(source, "SOLUTION_SCHEMA")


@pytest.mark.parametrize(("name", "schema", "column"), columns(r".*[^?]"))
def test_a_row_without_a_needed_column_is_refused(name, schema, column):
    """The reason names the column."""
    types = getattr(load_source(name), schema)
    row = example(types)
    del row[column]
    with pytest.raises(RowError, match=f"column {column} is missing") as told:
        checked(row, types)
    assert told.value.reason == "missing_column"


@pytest.mark.parametrize(("name", "schema", "column"), columns(r"(?!any).*"))
def test_a_row_with_a_column_of_a_wrong_type_is_refused(name, schema, column):
    """The reason names the column and both types; nested values are looked at too."""
    types = getattr(load_source(name), schema)
    kind = types[column].removesuffix("?")
    wrongs: list[Any] = [b"bytes", {"wrong": 1} if not kind.startswith("{") else [1]]
    wrongs += [[b"bytes"]] if kind.startswith("[") else []
    for wrong in wrongs:
        with pytest.raises(RowError, match=f"column {column} is ") as told:
            checked(example(types) | {column: wrong}, types)
        assert told.value.reason == "wrong_type"


def test_the_schema_is_that_of_the_data_set(source):
    """Every column that is read exists in the data set that the revision names, with its type."""
    if not SCHEMAS.is_file():
        pytest.skip("the true schemas are not on this machine")
    true = json.loads(SCHEMAS.read_text())
    named = data_sets(source.REVISION)
    assert named, "REVISION names the data set as owner/name"
    for schema, names in (("SCHEMA", named[:1]), ("SOLUTION_SCHEMA", named[1:])):
        known = [each["columns"] for key, each in true.items() if key.split(":")[0] in names]
        for column, kind in getattr(source, schema, {}).items():
            types = [spelled(each[column]) for each in known if column in each]
            assert types, f"no configuration of {names} has the column {column}"
            assert kind.removesuffix("?") in types
            assert kind.endswith("?") or len(types) == len(known), f"{column} is missing from a configuration"


def spelled(kind: Any) -> str:
    """A data set's type as a source's schema spells it."""
    if isinstance(kind, list):
        return f"[{spelled(kind[0])}]"
    if isinstance(kind, dict):
        return "{" + ",".join(f"{name}:{spelled(of)}" for name, of in kind.items()) + "}"
    return SPELLED.get(kind, kind)


def mapped(name: str, row: Mapping[str, Any], kind: str = "problem") -> dict[str, Any]:
    """What a worker makes of the row in a file of its own."""
    mapper = Mapper(name, load_source(name), load_source(name).LICENCE, 1024 * 1024)
    with mapper.open()() as rows:
        file = {"kind": kind, "name": "rows.jsonl", "data": json.dumps(row).encode()}
        (made,) = rows(file)
    return made


def test_a_row_of_mbpp_becomes_a_problem_in_both_configurations():
    """`full` has text, `sanitized` has prompt and imports; line ends of the code are those of this machine."""
    full, sanitized = (mapped("mbpp", row)["problem"] for row in (MBPP_FULL, MBPP_SANITIZED))
    assert full["style"] == sanitized["style"] == "asserts"
    assert full["statement"] == MBPP_FULL["text"]
    assert full["solutions"] == [{"language": "python", "program": "def gulls(pier):\n    return pier.count('gull')\n"}]
    assert sanitized["statement"] == MBPP_SANITIZED["prompt"]
    assert sanitized["setup"] == "import math"
    assert sanitized["tests"] == MBPP_SANITIZED["test_list"]
    assert mapped("mbpp", MBPP_FULL)["source_id"] == "9001"


def test_a_row_of_codeforces_becomes_a_problem():
    """Examples and official tests are its cases, each input once; the note belongs to the statement."""
    made = mapped("codeforces", CODEFORCES)
    problem = made["problem"]
    assert made["source_id"] == "9001/A"
    assert problem["style"] == "stdio"
    assert problem["cases"] == CODEFORCES["official_tests"]
    assert problem["statement"] == "Count the gulls.\n\nA gull is a bird."
    assert (problem["title"], problem["input_format"]) == ("Gulls", "One line with n.")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"executable": False}, "interactive"),
        ({"interaction_format": "ask and be told"}, "interactive"),
        ({"input_mode": "file"}, "not_stdio"),
        ({"generated_checker": "python checker.py"}, "needs_checker"),
        ({"description": None, "note": None}, "empty_field"),
        ({"id": ""}, "empty_field"),
    ],
)
def test_what_codeforces_has_and_we_do_not_cover_is_refused(change, reason):
    """Each such problem is a reject with its reason, not a wrong task."""
    assert mapped("codeforces", CODEFORCES | change)["reason"] == reason


def test_a_recorded_thought_of_codeforces_becomes_a_solution():
    """The program is taken from the answer, not from the thinking."""
    made = mapped("codeforces", COTS, "solution")
    assert made["source_id"] == "9001/A"
    assert made["solution"] == {"language": "python", "program": "print(' '.join(['gull'] * int(input())))\n"}
    assert mapped("codeforces", COTS | {"generation": "I do not know."}, "solution")["reason"] == "no_program"


def test_solutions_for_a_source_that_has_none_are_refused():
    """The reason says which line of the recipe to remove."""
    made = mapped("mbpp", COTS, "solution")
    assert made["reason"] == "no_solutions_here"
    assert "solutions_path" in made["detail"]


PLUGIN = '''
"""A corpus of a newcomer's own."""

LICENCE, REVISION, VERSION = "CC0-1.0", "ours/gulls as of today", "1"
SCHEMA = {"id": "string", "text": "string"}


def problem(row):
    """The row as a problem."""
    if row["id"] == "breaks":
        raise ZeroDivisionError("nobody foresaw this")
    return {"source_id": row["id"], "style": "stdio", "statement": row["text"]}
'''


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A plugins folder with one corpus."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "gulls.py").write_text(PLUGIN)
    return tmp_path


def test_a_source_is_added_by_one_file(plugins):
    """The plugins folder's corpora stand beside the packaged ones."""
    assert source_names(plugins) == sorted([*NAMES, "gulls"])
    assert load_source("gulls", plugins).SCHEMA == {"id": "string", "text": "string"}


def test_a_mapping_that_breaks_refuses_the_row(plugins):
    """What nobody foresaw becomes a reason with the error's words."""
    module = load_source("gulls", plugins)
    with Mapper("gulls", module, "CC0-1.0", 1024).open()() as rows:
        data = b'{"id": "breaks", "text": "x"}\n{"id": "fine", "text": "x"}\n'
        broken, fine = rows({"kind": "problem", "name": "rows.jsonl", "data": data})
    assert broken["reason"] == "source_failed"
    assert "ZeroDivisionError: nobody foresaw this" in broken["detail"]
    assert f"{plugins / 'sources' / 'gulls.py'}:11: " in broken["detail"]
    assert fine["problem"]["licence"] == "CC0-1.0"
    assert fine["location"] == "rows.jsonl:2"


@pytest.mark.parametrize(
    ("yields", "reason", "said"),
    [
        ("None", "source_failed", "gulls.py: problem gave NoneType; it gives the fields as a dict"),
        ("{**good, 'source_id': 7}", "source_failed", "gulls.py: problem gave source_id = 7, expected string"),
        ("{**good, 'tests': 'assert True'}", "source_failed", "gave tests = 'assert True', expected [string]"),
        ("{**good, 'cases': [('1', '2')]}", "source_failed", "expected [{input:string,output:string}]"),
        ("{**good, 'solutions': [{'program': ''}]}", "source_failed", "expected [{language:string,program:string}]"),
        ("{**good, 'style': 'essay'}", "source_failed", "gave the style essay; it is asserts or stdio"),
        ("{**good, 'dificulty': 3}", "source_failed", "gave dificulty; the fields are source_id, style, statement"),
        ("{**good, 'statement': None}", "empty_field", "statement is empty"),
        ("{**good, 'title': chr(0xd800)}", "bad_utf8", "half of a surrogate pair"),
        ("{**good, 'tests': ('assert True',), 'title': None}", None, ""),
    ],
)
def test_a_mapping_that_yields_no_problem_refuses_the_row(plugins, yields, reason, said):
    """Whatever a mapping gives in place of a problem is told with its file, and never reaches the tables."""
    (plugins / "sources" / "gulls.py").write_text(
        "LICENCE, REVISION, VERSION, SCHEMA = '', '', '1', {'id': 'string'}\n"
        "def problem(row):\n"
        "    good = {'source_id': row['id'], 'style': 'asserts', 'statement': 'x'}\n"
        f"    return {yields}\n"
    )
    with Mapper("gulls", load_source("gulls", plugins), "CC0-1.0", 1024).open()() as rows:
        (made,) = rows({"kind": "problem", "name": "rows.jsonl", "data": b'{"id": "1"}'})
    assert made["reason"] == reason
    assert said in made["detail"]
    if reason == "source_failed":
        assert str(plugins / "sources" / "gulls.py") in made["detail"]
    if reason is None:
        assert (made["problem"]["tests"], made["problem"]["title"]) == (["assert True"], "")


def test_a_changed_file_of_the_plugins_folder_is_another_version(plugins):
    """Whoever mends a mapping of their own sees its rows mapped again, whether or not they raised VERSION."""
    before = Mapper("gulls", load_source("gulls", plugins), "CC0-1.0", 1024).versions
    assert Mapper("gulls", load_source("gulls", plugins), "CC0-1.0", 1024).versions == before
    with (plugins / "sources" / "gulls.py").open("a") as file:
        file.write("# mended\n")
    assert Mapper("gulls", load_source("gulls", plugins), "CC0-1.0", 1024).versions != before
    assert Mapper("mbpp", load_source("mbpp"), "", 1024).versions == (load_source("mbpp").VERSION,)


def test_an_unknown_source_is_refused_with_the_nearest_name(plugins):
    """Those of the plugins folder are among the known ones."""
    with pytest.raises(UsageError, match=r"did you mean gulls\?.*Known: .*gulls"):
        load_source("guls", plugins)
