"""The lake: the same rows twice change nothing, facts stay, rules hold, and looking needs no JVM."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from tasklake.jobs.lake import Lake, LakeError, LakeUri, look
from tasklake.jobs.lake.ddl import PROPERTIES
from tasklake.jobs.lake.lease import Holder, Lease, LeaseHeldError, dump
from tasklake.jobs.lake.spool import Spool
from tasklake.quality.tables import Role, Table, all_tables
from tasklake.udfs.spool import store

pytestmark = pytest.mark.spark

each_table = pytest.mark.parametrize("table", all_tables().values(), ids=lambda table: table.name)


def candidate(name: str, program: str = "print(1)") -> dict[str, str]:
    return {"candidate_id": name, "language": "lua", "program": program}


def reject(name: str, detail: str = "first words") -> dict[str, object]:
    return {"reject_id": name, "stage": "ingest", "reason": "bad_json", "detail": detail, "current": True}


def problem(name: str, **more: object) -> dict[str, object]:
    fixed = {"problem_id": name, "source": "ours", "source_id": name, "style": "asserts", "current": True}
    return {**fixed, "row_keys": ["r1"], "location": "a:1", "made_by": "m1", **more}


def contents(lake: Lake, table: str, *columns: str) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in lake.read(table).select(*columns).collect())


def test_the_same_rows_twice_commit_once(lake, frame):
    """The second merge finds nothing new, says so, and leaves the version as it was."""
    rows = frame("candidates", *(candidate(f"c{n}") for n in range(3)))
    assert lake.merge("candidates", rows) == 3
    version = lake.version("candidates")
    assert lake.merge("candidates", rows) == 0
    assert lake.version("candidates") == version == 1
    assert lake.read("candidates").count() == 3


def test_facts_are_inserted_and_never_overwritten(lake, frame):
    """Other content under a known key is not what was measured then: the fact stays."""
    lake.merge("candidates", frame("candidates", candidate("c1", "print(1)")))
    assert lake.merge("candidates", frame("candidates", candidate("c1", "print(2)"), candidate("c2"))) == 1
    assert contents(lake, "candidates", "candidate_id", "program") == [("c1", "print(1)"), ("c2", "print(1)")]


def test_an_updated_table_updates_only_the_rows_that_changed(lake, frame):
    """Unchanged neighbours keep the run that wrote them; a new row comes in beside them."""
    lake.merge("rejects", frame("rejects", reject("a"), reject("b")))
    second = Lake(lake.spark, lake.uri, run_id="second")
    rows = frame("rejects", reject("a"), reject("b", "other words"), reject("c"))
    assert second.merge("rejects", rows) == 2
    assert contents(lake, "rejects", "reject_id", "detail", "run_id") == [
        ("a", "first words", "first"),
        ("b", "other words", "second"),
        ("c", "first words", "second"),
    ]


def test_only_watched_provenance_updates_a_row(lake, frame):
    """Where a row was read is no news; which raw rows it rests on is."""
    lake.merge("problems", frame("problems", problem("p")))
    assert lake.merge("problems", frame("problems", problem("p", location="b:2"))) == 0
    assert lake.merge("problems", frame("problems", problem("p", row_keys=["r1", "r2"]))) == 1
    assert contents(lake, "problems", "problem_id", "row_keys") == [("p", ["r1", "r2"])]


def test_an_empty_frame_commits_nothing(lake, frame):
    """No version is made for no rows, of facts or of what is updated."""
    for table in ("candidates", "rejects"):
        assert lake.merge(table, frame(table)) == 0
        assert lake.version(table) == 0


def test_a_key_that_comes_twice_in_one_frame_is_one_row(lake, frame):
    """Two raw rows may lead to one content: it is stored once, and a compound key counts as a whole."""
    assert lake.merge("candidates", frame("candidates", candidate("c"), candidate("c"))) == 1
    cases = [{"task_id": "t", "ordinal": n, "input": "", "output": ""} for n in (0, 1, 1)]
    assert lake.merge("cases", frame("cases", *cases)) == 2
    assert contents(lake, "cases", "task_id", "ordinal") == [("t", 0), ("t", 1)]


def test_every_row_says_which_run_wrote_it_and_when(lake, frame):
    """No stage can forget it or fake it: the lake stamps the row."""
    before = time.time()
    lake.merge("candidates", frame("candidates", candidate("c") | {"run_id": "another"}))
    row = lake.read("candidates").first()
    assert row["run_id"] == "first"
    assert lake.spark.sql("SELECT current_timezone()").first()[0] == "UTC"
    assert int(before) <= row["made_at"].timestamp() <= time.time()


@pytest.mark.parametrize(
    ("table", "row", "named"),
    [
        ("candidates", candidate("c", ""), "program_is_given"),
        ("cases", {"task_id": "t", "ordinal": -1}, "ordinal_is_natural"),
        ("candidates", candidate("c") | {"candidate_id": None}, "candidate_id"),
    ],
    ids=["a rule", "a rule of a key", "a key that is null"],
)
def test_a_row_that_breaks_a_rule_is_refused_by_name(lake, frame, table, row, named):
    """Delta itself keeps the rule, whoever writes, and the table stays as it was."""
    good = {"candidates": candidate("good"), "cases": {"task_id": "t", "ordinal": 0}}[table]
    with pytest.raises(Exception, match=named):  # which class Spark raises depends on where the row was written
        lake.merge(table, frame(table, good, row))
    assert lake.version(table) == 0


def test_who_lost_the_lease_commits_nothing(lake, frame):
    """The lake asks before every commit whether this run still is the writer."""
    with Lease(lake.uri, "this test") as lease:
        lake.lease = lease
        assert lake.merge("candidates", frame("candidates", candidate("mine"))) == 1
        taker = Holder(99, "somebody", "another-host", "", ((1, "1"),), "tasklake run", time.time() + 3600)
        Path(lake.uri.path, "_lease.json").write_bytes(dump(taker))
        with pytest.raises(LeaseHeldError):
            lake.merge("candidates", frame("candidates", candidate("late")))
    assert contents(lake, "candidates", "candidate_id") == [("mine",)]


def test_a_table_is_read_as_of_a_version(lake, frame):
    """Facts stay for time travel; a table that was never written reads as empty, with its columns."""
    for name in ("c1", "c2"):
        lake.merge("candidates", frame("candidates", candidate(name)))
    assert lake.read("candidates", version=1).count() == 1
    assert lake.read("candidates").count() == 2
    assert lake.versions() == {name: 2 if name == "candidates" else 0 for name in all_tables()}
    nowhere = Lake(lake.spark, lake.uri.child("nowhere"))
    assert nowhere.read("candidates").columns == list(all_tables()["candidates"].names)
    assert nowhere.versions() == {}


def test_what_is_pinned_stays_as_it_was_until_it_is_let_go(lake, frame):
    """A set that a run looks at does not change under it, and leaves no file."""
    lake.merge("candidates", frame("candidates", candidate("c1")))
    pinned = lake.pin("set", lake.read("candidates"))
    lake.merge("candidates", frame("candidates", candidate("c2")))
    assert pinned.count() == 1
    lake.unpin()
    assert not lake.uri.child("_spool", "_pinned").exists()


def test_a_lake_may_lie_under_any_name(spark, empty_lake: Path, tmp_path: Path, frame):
    """What means something in a URI or a glob is a letter like any other: tables, pinned sets and spools are found."""
    folder = tmp_path / "a b#c?d [x] {y}*'`"
    shutil.copytree(empty_lake, folder)
    lake = Lake(spark, LakeUri.parse(str(folder)), run_id="first")
    lake.merge("candidates", frame("candidates", candidate("c1")))
    assert lake.pin("set", lake.read("candidates").select("candidate_id")).count() == 1
    spool = Spool(spark, lake, "stage", "a int")
    store(pa.table({"a": pa.array([7], pa.int32())}), "", spool.place.path, "seg-1-x.parquet")
    assert [row["a"] for row in spool.read().collect()] == [7]
    assert look.query(str(folder), "SELECT candidate_id FROM candidates").num_rows == 1


@each_table
def test_a_created_table_carries_what_its_definition_says(empty_lake: Path, table: Table):
    """Paragraph, comments, types in order, keys that are never null, rules and properties: for every reader to see."""
    live = DeltaTable(empty_lake / "tables" / table.name)
    metadata = live.metadata()
    assert metadata.description == table.doc
    fields = live.schema().fields
    assert [field.name for field in fields] == list(table.names)
    assert {field.name: field.metadata.get("comment") for field in fields} == {c.name: c.doc for c in table.columns}
    assert {f.name for f in fields if not f.nullable} == {c.name for c in table.columns if c.role is Role.KEY}
    rules = {f"delta.constraints.{name}": rule for name, rule in table.constraints.items()}
    assert metadata.configuration.items() >= {**PROPERTIES, **table.properties, **rules}.items()


@each_table
def test_a_table_needs_no_feature_that_readers_without_a_jvm_lack(empty_lake: Path, table: Table):
    """No column mapping, no deletion vectors: whoever reads the oldest protocol reads our tables."""
    protocol = DeltaTable(empty_lake / "tables" / table.name).protocol()
    assert protocol.min_reader_version == 1
    assert not protocol.reader_features
    assert not {"columnMapping", "deletionVectors", "v2Checkpoint"} & set(protocol.writer_features or ())


def test_deltalake_reads_what_spark_wrote(lake, frame):
    """Inserted and updated rows are the same for a reader without a JVM."""
    lake.merge("rejects", frame("rejects", reject("a"), reject("b")))
    lake.merge("rejects", frame("rejects", reject("a", "other words")))
    rows = look.query(str(lake.uri), "SELECT reject_id, detail FROM rejects ORDER BY reject_id").to_pylist()
    assert rows == [{"reject_id": "a", "detail": "other words"}, {"reject_id": "b", "detail": "first words"}]
    told = {row["name"]: row for row in look.tables(str(lake.uri))}
    assert (told["rejects"]["rows"], told["rejects"]["version"], told["cases"]["rows"]) == (2, 2, 0)
    assert look.rows(str(lake.uri), "rejects", 1).num_rows == 1


LOOKS = """
import sys
from tasklake.jobs.lake import look
names = [row["name"] for row in look.tables(sys.argv[1])]
for name in names:
    look.rows(sys.argv[1], name, 5)
look.query(sys.argv[1], "SELECT count(*) FROM runs")
assert "pyspark" not in sys.modules, "looking imported pyspark"
sys.stdout.write(" ".join(names))
"""


def test_looking_needs_no_spark(empty_lake: Path):
    """Tables, rows and questions are answered in a process that never imports pyspark."""
    done = subprocess.run([sys.executable, "-c", LOOKS, str(empty_lake)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(all_tables())


def test_an_unknown_table_is_refused_with_the_nearest_name(empty_lake: Path):
    """A slip of the pen is answered with the right name and with those there are."""
    with pytest.raises(LakeError, match=r"did you mean candidates\?.*problems"):
        look.rows(str(empty_lake), "candidate", 5)


def test_where_no_lake_is_the_way_to_one_is_told(tmp_path: Path):
    """A wrong --dir is answered with the command that makes a lake."""
    with pytest.raises(LakeError, match="holds no lake yet; name another with --dir, or make one with `tasklake demo"):
        look.tables(str(tmp_path))


def test_a_question_that_cannot_be_answered_is_a_refusal(empty_lake: Path):
    """What the engine says is told in one sentence."""
    with pytest.raises(LakeError, match="no_such_column"):
        look.query(str(empty_lake), "SELECT no_such_column FROM runs")


def test_ensuring_twice_changes_nothing(lake):
    """Every run ensures the tables; only the first one makes them."""
    before = lake.versions()
    lake.ensure()
    assert lake.versions() == before
    assert set(before) == set(all_tables())


@each_table
def test_the_questions_of_a_table_are_answered_on_an_empty_lake(spark, empty_lake: Path, table: Table):
    """Each example query parses, knows its columns and runs."""
    lake = Lake(spark, LakeUri.parse(str(empty_lake)))
    for name in all_tables():
        lake.read(name).createOrReplaceTempView(name)
    try:
        for question in table.questions:
            spark.sql(question.sql).collect()
    finally:
        for name in all_tables():
            spark.catalog.dropTempView(name)
