"""A lake of an earlier layout is told; what can be mended is mended, and anything else is refused before any change."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasklake.jobs.lake import Lake, LakeError, ddl, look
from tasklake.quality.tables import Role, Table, all_tables

pytestmark = pytest.mark.spark

CANDIDATES = all_tables()["candidates"]
ROW = "candidate_id, program"


@pytest.fixture
def earlier(lake: Lake) -> Callable[..., Lake]:
    """A lake whose table `candidates` was written by an earlier layout, with one row in it."""

    def made(table: Table, values: str = "'c1', 'print(1)'", **properties: str) -> Lake:
        shutil.rmtree(Path(lake.uri.child("tables", "candidates").path))
        columns = ", ".join(f"`{c.name}` {c.type}{' NOT NULL' if c.role is Role.KEY else ''}" for c in table.columns)
        rules = {f"delta.constraints.{name}": rule for name, rule in table.constraints.items()}
        clause = ddl.clause({**ddl.PROPERTIES, **rules, **{f"delta.{k}": v for k, v in properties.items()}})
        target = lake.target("candidates")
        lake.spark.sql(f"CREATE TABLE {target} ({columns}) USING delta {clause}")
        lake.spark.sql(
            f"INSERT INTO {target} ({ROW if 'candidate_id' in table.names else 'program'}) VALUES ({values})"
        )
        return lake

    return made


def without(*names: str) -> Table:
    return replace(CANDIDATES, columns=tuple(c for c in CANDIDATES.columns if c.name not in names))


def files(lake: Lake) -> dict[str, bytes]:
    """Every log entry of the lake: equal before and after, nothing was changed."""
    root = Path(lake.uri.path)
    return {str(path): path.read_bytes() for path in sorted(root.rglob("_delta_log/*.json"))}


def test_additive_drift_is_told_mended_once_and_then_gone(earlier, frame):
    """A missing column, a missing rule and an old property: told by ensure, mended by migrate, and nothing is left."""
    table = replace(without("extraction", "model"), constraints={})
    lake = earlier(table, logRetentionDuration="interval 40 days")
    before = files(lake)
    with pytest.raises(LakeError) as told:
        lake.ensure()
    for what in (
        "column extraction is missing",
        "column model is missing",
        "constraint program_is_given is missing",
        "properties differ: delta.logRetentionDuration",
        "Run `tasklake migrate`",
    ):
        assert what in str(told.value)
    assert files(lake) == before, "telling changes nothing"

    done = lake.migrate()
    assert {change["table"] for change in done} == {"candidates"}
    assert len(done) == 4
    lake.ensure()
    _assert_as_new(lake, frame)

    versions = lake.versions()
    assert lake.migrate() == []
    assert lake.versions() == versions


def _assert_as_new(lake: Lake, frame: Any) -> None:
    """Old rows are there, new ones come in, the rule is kept, and readers without a JVM see it all."""
    assert lake.merge("candidates", frame("candidates", {"candidate_id": "c2", "program": "x", "extraction": "e"})) == 1
    with pytest.raises(Exception, match="program_is_given"):  # which class Spark raises is Spark's affair
        lake.merge("candidates", frame("candidates", {"candidate_id": "c3", "program": ""}))
    rows = look.query(str(lake.uri), f"SELECT {ROW}, extraction FROM candidates ORDER BY candidate_id").to_pylist()
    assert rows == [
        {"candidate_id": "c1", "program": "print(1)", "extraction": None},
        {"candidate_id": "c2", "program": "x", "extraction": "e"},
    ]


def test_a_table_that_the_earlier_layout_did_not_have_is_made(lake):
    """A version of the code that adds a table brings it by migrate or by the next run."""
    shutil.rmtree(Path(lake.uri.child("tables", "samples").path))
    assert lake.migrate() == [{"table": "samples", "change": "created"}]
    assert lake.version("samples") == 0


def retyped() -> Table:
    columns = tuple(replace(c, type="bigint") if c.name == "sample" else c for c in CANDIDATES.columns)
    return replace(CANDIDATES, columns=columns)


def wider() -> Table:
    extra = replace(CANDIDATES.columns[-1], name="mood", type="string")
    return replace(CANDIDATES, columns=(*CANDIDATES.columns, extra))


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        (retyped(), "'c1', 'x'", r"column sample has type bigint, the code wants int \(rewriting stored values"),
        (without("candidate_id"), "'x'", r"column candidate_id is missing \(it is part of the key"),
        (wider(), "'c1', 'x'", r"column mood is unknown to this version of the code \(dropping it would lose data"),
        (replace(CANDIDATES, constraints={}), "'c1', ''", r"program_is_given is missing \(1 rows break the rule"),
    ],
    ids=["retyped", "no key", "surplus", "rows break the rule"],
)
def test_what_cannot_be_mended_is_refused_before_any_change(earlier, table, values, reason):
    """The reason is told, and what could have been mended beside it is left alone as well."""
    lake = earlier(table, values, logRetentionDuration="interval 40 days")
    before = files(lake)
    with pytest.raises(LakeError, match=reason):
        lake.migrate()
    assert files(lake) == before


def test_a_rule_that_reads_otherwise_is_told_and_swapped(earlier):
    """A constraint of the same name with another rule is drift."""
    lake = earlier(replace(CANDIDATES, constraints={"program_is_given": "length(program) > 2"}))
    told = [difference.what for difference in lake.drift()]
    assert told == ["constraint program_is_given reads length(program) > 2, the code wants program <> ''"]
    lake.migrate()
    assert lake.drift() == []


def test_no_difference_is_seen_where_there_is_none(lake):
    """What Delta spells in its own way is not drift."""
    assert lake.drift() == []
    assert re.fullmatch(r"delta\.`.+`", lake.target("runs"))
