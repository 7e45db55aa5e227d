"""Looking at a lake: any path, any damage, and rows as a program wants them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from tasklake.jobs import cli
from tasklake.jobs.lake import LakeError, LakeUri, look
from tasklake.jobs.lake.uri import NoLakeError

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VERSIONS = pa.map_(pa.string(), pa.int64())


def a_lake(folder: Path) -> Path:
    """A lake with two versions of `runs`, written without Spark."""
    plain = folder.parent / "plain"
    for number in (1, 2):
        row = {"run_id": [f"r{number}"], "started_at": [WHEN], "stages": [[]], "error": [""], "status": ["done"]}
        table = pa.table({**row, "input_versions": pa.array([[("tasks", 3), ("cases", 4)]], VERSIONS)})
        write_deltalake(str(plain / "tables" / "runs"), table, mode="append")
    # The engine itself cannot write under every name that Spark can.
    return plain.rename(folder)


def log(lake: Path, version: int) -> Path:
    return lake / "tables" / "runs" / "_delta_log" / f"{version:020}.json"


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert cli.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["a b#c?d", "[v1] {x}*", "100%", "ü ü", "a'b\"c`d"])
def test_a_lake_may_lie_under_any_name(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What means something in a URI is a letter like any other in the name of a folder."""
    lake = str(a_lake(tmp_path / name))
    assert [row["rows"] for row in asked(capsys, "tables", "--dir", lake) if row["name"] == "runs"] == [2]
    for words in (["show", "runs"], ["runs"]):
        assert [row["run_id"] for row in asked(capsys, *words, "--dir", lake)] == ["r1", "r2"]


def test_a_map_is_an_object_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions are found by the name of their table."""
    lake = str(a_lake(tmp_path / "lake"))
    for words in (["show", "runs"], ["runs"]):
        assert asked(capsys, *words, "--dir", lake)[0]["input_versions"] == {"tasks": 3, "cases": 4}


DAMAGES = {
    "a cut entry": lambda lake: os.truncate(log(lake, 1), 40),
    "an entry that is no text": lambda lake: log(lake, 1).write_bytes(b"\xff\xfe"),
    "a missing entry": lambda lake: log(lake, 0).unlink(),
    "an empty log": lambda lake: [log(lake, version).unlink() for version in (0, 1)],
    "missing rows": lambda lake: [path.unlink() for path in lake.rglob("*.parquet")],
    "damaged rows": lambda lake: [path.write_bytes(b"PAR1") for path in lake.rglob("*.parquet")],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_table_is_one_sentence(damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the table or its file, says what is wrong without a trace, and is work that failed: exit code 1."""
    lake = a_lake(tmp_path / "lake")
    DAMAGES[damage](lake)
    assert cli.main(["runs", "--dir", str(lake)]) == cli.FAILED
    out, told = capsys.readouterr()
    assert out == ""
    assert len(told.splitlines()) == 1
    assert told.startswith("error: ")
    assert "runs" in told
    assert str(lake) in told
    assert "<unknown>" not in told


def test_a_damaged_table_is_no_harm_to_questions_about_others(tmp_path: Path) -> None:
    """A question opens the tables that it names."""
    lake = a_lake(tmp_path / "lake")
    broken = lake / "tables" / "rejects" / "_delta_log"
    broken.mkdir(parents=True)
    assert look.query(str(lake), "SELECT * FROM runs").num_rows == 2
    with pytest.raises(LakeError, match="table rejects cannot be read"):
        look.tables(str(lake))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("s3:///p", "names no bucket"),
        ("s3://", "names no bucket"),
        ("s3:bucket", "names no bucket"),
        ("s3://a b/p", "names no bucket"),
        ("http://[x", "scheme http:// is not supported"),
        ("hdfs://host/p", "scheme hdfs:// is not supported"),
        ("file://host/p", "names no folder of this machine"),
        ("file:p", "names no folder of this machine"),
        ("/tmp/a%41b", "rename the folder"),
    ],
)
def test_what_is_no_lake_is_used_wrongly(given: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A malformed URI is told as such, by every command: exit code 2."""
    with pytest.raises(NoLakeError, match=said):
        LakeUri.parse(given)
    for words in (["tables"], ["sql", "SELECT 1"], ["vacuum"], ["run", "demo"]):
        assert cli.main([*words, "--dir", given]) == cli.MISUSED
        assert said in capsys.readouterr().err


def test_a_lake_that_is_not_there_is_used_wrongly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command that needs one says how to name another and how to make one: exit code 2."""
    at = ("--dir", str(tmp_path / "nowhere"))
    export = ["export", "x", "--format", "jsonl", "--out", str(tmp_path / "out")]
    for words in (["tables"], ["runs"], ["sql", "SELECT 1"], ["vacuum"], ["optimize"], ["migrate"], export):
        assert cli.main([*words, *at]) == cli.MISUSED
        told = capsys.readouterr().err
        assert "name another with --dir, or make one with `tasklake demo" in told
    assert not list(tmp_path.iterdir())


def test_a_uri_is_read_as_its_scheme_says() -> None:
    """Keys of a bucket are taken as they are; a file URI spells its path in percent signs."""
    assert LakeUri.place("s3://bucket/a%41 #b?c/") == LakeUri("bucket", "a%41 #b?c")
    assert LakeUri.place("file:///tmp/a%20b%23") == LakeUri("", "/tmp/a b#")
    assert LakeUri.place("/tmp/a%20b#?") == LakeUri("", "/tmp/a%20b#?")
