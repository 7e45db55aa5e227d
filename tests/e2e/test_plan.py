"""A plan says what a run would do, exactly where it can, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

# Whole runs, several of them behind one fixture: the usual bound is for a single test.
pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.timeout(1800)]

STAGES = ["ingest", "reformulate", "ground", "propose", "execute", "judge", "gate", "release"]


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below the folder with its size and time of change."""
    found = {str(path.relative_to(folder)): path.stat() for path in folder.rglob("*")}
    return {name: (seen.st_size, seen.st_mtime_ns) for name, seen in found.items()}


@pytest.fixture(scope="module")
def before(command: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Path]:
    """A plan for a lake that is not there yet, made in an empty folder."""
    folder = tmp_path_factory.mktemp("before")
    done = command("plan", "demo", "--dir", folder / "lake", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["stages"], folder


def test_plan_before_the_first_run_makes_no_file(before: Any) -> None:
    """Neither a lake nor a leftover of Spark appears."""
    assert tree(before[1]) == {}


def test_plan_knows_what_it_can_read_and_estimates_the_rest(before: Any) -> None:
    """The corpus is there, so ingest is exact; what comes of it is not yet known."""
    stages = before[0]
    assert [stage["stage"] for stage in stages] == STAGES
    assert {stage["stage"] for stage in stages if stage["exact"]} == {"ingest"}
    assert stages[0]["new"] == stages[0]["in"] > 0
    assert stages[0]["known"] == 0
    assert not [
        stage for stage in stages if stage["stage"] in ("reformulate", "ground", "execute") and not stage["new"]
    ]


def test_plan_counts_what_costs(before: Any) -> None:
    """Runs of programs, calls, tokens and money are told for each stage."""
    planned = {stage["stage"]: stage for stage in before[0]}
    assert not [stage for stage in before[0] if {"calls", "tokens", "money", "runs"} - stage.keys()]
    assert planned["ground"]["runs"] > 0
    assert planned["execute"]["runs"] > 0


def test_plan_marks_estimates_for_people(command: Any, tmp_path: Path) -> None:
    """In the table, every count of a stage that is estimated begins with ~, and no other does."""
    done = command("plan", "demo", "--dir", tmp_path / "lake", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.split()}
    assert "~" not in lines["ingest"]
    assert not [name for name in STAGES[1:] if "~" not in lines[name]]
    assert tree(tmp_path) == {}


def test_plan_after_the_run_is_exact_and_finds_nothing_new(command: Any, demo: Any) -> None:
    """Everything is known, nothing would run, and the lake is byte for byte as before."""
    held = tree(demo.lake)
    stages = command.json("plan", "demo", "--dir", demo.lake)["stages"]
    assert [stage["stage"] for stage in stages] == STAGES
    assert not [stage for stage in stages if not stage["exact"] or stage["new"] or stage["runs"] or stage["calls"]]
    assert {s["stage"]: s["known"] for s in stages} == {name: stage["in"] for name, stage in demo.stages.items()}
    assert tree(demo.lake) == held
