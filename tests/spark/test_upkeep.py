"""Looking after a lake: files that no release needs leave, small files are put together, questions change nothing."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tasklake.jobs import upkeep
from tasklake.jobs.commands import keeping
from tasklake.jobs.config import UsageError, load_settings
from tasklake.jobs.lake import Lake, LakeUri
from tasklake.quality.tables import all_tables

pytestmark = pytest.mark.spark

DAY_MS = 24 * 3600 * 1000


def reject(name: str, detail: str) -> dict[str, object]:
    return {"reject_id": name, "stage": "ingest", "reason": "bad_json", "detail": detail, "current": True}


@pytest.fixture(scope="module")
def lived_in(spark, empty_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with three versions of `rejects`, each of which replaced the file of the one before.

    It holds the tables that are asked for here and no other: each table costs a vacuum of its own.
    """
    folder = tmp_path_factory.mktemp("lived") / "lake"
    for name in ("rejects", "releases", "runs"):
        shutil.copytree(empty_lake / "tables" / name, folder / "tables" / name)
    lake = Lake(spark, LakeUri.parse(str(folder)), run_id="first")
    schema = ", ".join(f"{c.name} {c.type}" for c in all_tables()["rejects"].columns)
    for words in ("first words", "second words", "third words"):
        rows = [tuple(reject("a", words).get(name) for name in all_tables()["rejects"].names)]
        lake.merge("rejects", spark.createDataFrame(rows, schema))
    return folder


def aged(lake: Path, days: int) -> None:
    """The lake is as if everything in it had happened so many days earlier."""
    for log in lake.rglob("_delta_log/*.json"):
        actions = [json.loads(line) for line in log.read_text().splitlines()]
        for action in actions:
            for kind, name in (("commitInfo", "timestamp"), ("remove", "deletionTimestamp")):
                if kind in action:
                    action[kind][name] -= days * DAY_MS
        log.write_text("".join(json.dumps(action) + "\n" for action in actions))
    for checksum in [*lake.rglob("*.crc"), *lake.rglob(".*.crc")]:
        checksum.unlink(missing_ok=True)
    then = time.time() - days * 24 * 3600
    for path in lake.rglob("*"):
        os.utime(path, (then, then))


def released(spark, folder: Path, versions: dict[str, int]) -> None:
    """The lake lists a release that was made from these versions."""
    columns = {c.name: c.type for c in all_tables()["releases"].columns}
    row = {"release_id": "r", "name": "ours", "version": 1, "tasks": 1, "samples": 1, "input_versions": versions}
    schema = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    frame = spark.createDataFrame([tuple(row.get(name) for name in columns)], schema)
    Lake(spark, LakeUri.parse(str(folder)), run_id="first").merge("releases", frame)


@pytest.fixture
def old(lived_in: Path, tmp_path: Path) -> Path:
    """The lived-in lake of 40 days ago: older than what is kept without a reason."""
    folder = tmp_path / "old"
    shutil.copytree(lived_in, folder)
    aged(folder, 40)
    return folder


def details(spark, folder: Path, version: int) -> list[str]:
    lake = Lake(spark, LakeUri.parse(str(folder)))
    return [row["detail"] for row in lake.read("rejects", version=version).collect()]


def vacuumed(folder: Path, **more: int) -> dict[str, dict[str, object]]:
    settings = load_settings(lake=str(folder), session="existing")
    return {row["table"]: row for row in upkeep.vacuum(settings, **more)}


def test_vacuum_removes_what_nothing_needs_and_keeps_the_present(spark, old):
    """With its defaults and no release, files that left a table 40 days ago are gone; the newest version is whole."""
    done = vacuumed(old)["rejects"]
    assert done["files_removed"] == 2
    assert done["protects_version"] is None
    assert details(spark, old, 3) == ["third words"]
    with pytest.raises(Exception, match=r"(?i)file"):  # which class Spark raises for a file that is gone is its affair
        details(spark, old, 1)


def test_vacuum_keeps_the_versions_that_the_newest_releases_came_from(spark, old):
    """A release of 40 days ago can still be traced: the version that it names is readable after a vacuum."""
    released(spark, old, {"rejects": 2})
    done = vacuumed(old)["rejects"]
    assert done["protects_version"] == 2
    assert details(spark, old, 2) == ["second words"]
    assert details(spark, old, 3) == ["third words"]


def test_vacuum_keeps_what_left_lately(spark, lived_in):
    """Readers of an older version are not cut off: files that have just left stay."""
    assert {row["files_removed"] for row in vacuumed(lived_in).values()} == {0}
    assert [details(spark, lived_in, version)[0] for version in (1, 2, 3)] == [
        "first words",
        "second words",
        "third words",
    ]


def test_vacuum_refuses_less_than_the_tables_promise(settings):
    """Less is refused with the least, before anything is touched; the command's default is the least."""
    with pytest.raises(UsageError, match=f"719 is less than {upkeep.LEAST_HOURS}"):
        upkeep.vacuum(settings, retain_hours=719)
    assert keeping.vacuum.__defaults__ == (upkeep.LEAST_HOURS, 3)


def test_optimize_puts_small_files_together_and_changes_no_content(lake, settings, frame):
    """Fewer files, equal rows."""
    for n in range(2):
        rows = frame("candidates", {"candidate_id": f"c{n}", "program": "x"})
        rows.write.format("delta").mode("append").save(lake.uri.child("tables", "candidates").spark())
    before = sorted(map(tuple, lake.read("candidates").collect()))
    assert len(lake.read("candidates").inputFiles()) > 1
    (done,) = upkeep.optimize(settings, ["candidates"])
    assert done == {"table": "candidates", "version_before": 2, "version": 3}
    assert len(lake.read("candidates").inputFiles()) == 1
    assert sorted(map(tuple, lake.read("candidates").collect())) == before


def test_optimize_refuses_a_table_that_there_is_not(settings):
    """The refusal tells the nearest name."""
    with pytest.raises(UsageError, match=r"no table is called candidate; did you mean candidates\?"):
        upkeep.optimize(settings, ["candidate"])


def ask(folder: Path, statement: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = upkeep.sql(
        statement, load_settings(lake=str(folder), session="existing")
    ).to_pylist()
    return rows


def test_a_question_is_answered_now_and_as_of_a_version(lived_in):
    """Tables go by their names; time travel is a word of SQL; comments, line ends and a semicolon do no harm."""
    assert ask(lived_in, "SELECT detail FROM rejects;") == [{"detail": "third words"}]
    assert ask(lived_in, "-- then\nselect detail\nfrom rejects VERSION AS OF 1 -- first") == [{"detail": "first words"}]
    assert ask(lived_in, "WITH n AS (SELECT count(*) AS n FROM runs) SELECT * FROM n") == [{"n": 0}]


def test_a_question_may_be_about_scarcity(lived_in):
    """The view is there by its name beside the tables, whatever the lake holds, and leaves nothing behind."""
    asked = "SELECT pack, tier FROM language_scarcity WHERE language IN ('Lua', 'ABAP') ORDER BY tier"
    assert ask(lived_in, asked) == [{"pack": "lua", "tier": 2}, {"pack": None, "tier": 5}]
    both = "SELECT count(*) > 40 AS many FROM language_scarcity CROSS JOIN (SELECT count(*) FROM runs)"
    assert ask(lived_in, both) == [{"many": True}]


def test_a_question_is_answered_by_the_lake_that_was_named(lived_in, empty_lake):
    """A session that looked at one lake before does not answer for it when it is asked about another."""
    asked = "SELECT count(*) AS n FROM rejects"
    assert [ask(folder, asked)[0]["n"] for folder in (lived_in, empty_lake, lived_in)] == [1, 0, 1]


def test_a_question_leaves_nothing_in_the_session(spark, lived_in):
    """A platform's session may hold tables of our names: they are neither asked nor touched."""
    before = (spark.catalog.currentDatabase(), len(spark.catalog.listDatabases()), len(spark.catalog.listTables()))
    ask(lived_in, "SELECT count(*) FROM rejects")
    with pytest.raises(UsageError):
        ask(lived_in, "SELECT nonsense FROM rejects")
    after = (spark.catalog.currentDatabase(), len(spark.catalog.listDatabases()), len(spark.catalog.listTables()))
    assert after == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO rejects SELECT * FROM rejects",
        "DELETE FROM rejects",
        "DELETE FROM rejects -- )",
        "DROP TABLE rejects",
        "UPDATE rejects SET detail = ''",
        "MERGE INTO rejects t USING rejects s ON t.reject_id = s.reject_id WHEN MATCHED THEN DELETE",
        "CREATE TABLE mine AS SELECT * FROM rejects",
        "CREATE OR REPLACE TEMP VIEW mine AS SELECT 1",
        "ALTER TABLE rejects ADD COLUMNS (mine string)",
        "SET spark.sql.ansi.enabled = false",
        "SELECT 1; DROP TABLE rejects",
        "SELECT 1) UNION (SELECT 2",
        "SELECT nothing FROM rejects",
        "SELECT * FROM no_such_table",
        "SELECT 1 / 0",
        "SELECT 1 AS a, 2 AS a",
        "OPTIMIZE rejects",
        "VACUUM rejects",
        "-- a remark\nOPTIMIZE rejects",
        "",
    ],
)
def test_what_is_no_question_is_refused(lived_in, statement):
    """Whatever would change something, or cannot be answered, is used wrongly, and the lake stays as it was."""
    log = lived_in / "tables" / "rejects" / "_delta_log"
    before = sorted(path.name for path in log.iterdir())
    with pytest.raises(UsageError, match="cannot be answered: "):
        ask(lived_in, statement)
    assert sorted(path.name for path in log.iterdir()) == before


def test_where_no_lake_is_nothing_is_kept(tmp_path):
    """A wrong --dir is answered with the command that makes a lake."""
    nowhere = load_settings(lake=str(tmp_path), session="existing")
    for command in (upkeep.migrate, upkeep.optimize, upkeep.vacuum):
        with pytest.raises(UsageError, match="holds no lake yet"):
            command(nowhere)
