"""The demo, from corpus to release: what it prints and stores, a run without news, a changed row, a deleted row."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tasklake.jobs.release import formats
from tasklake.quality.tables import all_tables

# Whole runs, several of them behind one fixture: the usual bound is for a single test.
pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.sandbox, pytest.mark.timeout(1800)]

TESTS = Path(__file__).parents[1]
EXPECTED: list[dict[str, Any]] = json.loads((TESTS / "demo_expected_verdicts.json").read_text("utf-8"))
LANGUAGES = sorted({row["language"] for row in EXPECTED})
UNFILLED = {"llm_requests", "llm_responses"}  # the demo asks no model
STAGES = ["ingest", "reformulate", "ground", "propose", "execute", "judge", "gate", "release"]

# The flaws that jobs/demo/README.md lists: (stage, what the reject is called, reason).
PLANTED = [
    ("ingest", "105", "duplicate_id"),
    ("reformulate", "137", "argument_not_literal"),
    ("reformulate", "139", "contradictory_cases"),
    ("reformulate", "demo-4/C", "no_cases"),
    ("ground", "136", "oracle_wrong_answer"),
    ("ground", "138", "oracle_wrong_answer"),
    ("ground", "140", "oracle_time_limit"),
    ("ground", "demo-4/D", "no_oracle"),
    ("ground", "demo-4/E", "no_oracle"),
    ("propose", "131 javascript #0", "no_program"),
    ("propose", "134 lua #1", "no_program"),
    ("propose", "demo-3/C lua #1", "no_program"),
]
# Rows that were refused before they had a name: the line in the corpus is their place.
NAMELESS = [
    ("mbpp.jsonl:41", "missing_column"),
    ("codeforces.jsonl:16", "interactive"),
    ("codeforces.jsonl:17", "not_stdio"),
]
# Rows of codeforces_cots.jsonl: the solution of demo-4/E is cut off, and demo-4/B is not among the problems.
WITH_SOLUTIONS = ("no_program", "solution_without_problem")

# A changed assertion: the problem stays right, its cases are others.
EDITED, BEFORE, AFTER = (
    "101",
    "lanterns_till_dawn([6, 6, 6], 6) == 3",
    "lanterns_till_dawn([6, 6, 5], 6) == 2",
)
DELETED = "103"

FACTS = ["tasks", "cases", "oracles", "candidates", "case_verdicts", "verdicts", "samples"]


@pytest.fixture(scope="module")
def again(demo: Any, run_demo: Callable[[Path], Any]) -> Any:
    """The second run on the same lake."""
    return run_demo(demo.lake)


@pytest.fixture(scope="module")
def edited(again: Any, run_demo: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The third run, on a copy of the lake, after one assertion was changed."""
    lake = tmp_path_factory.mktemp("edited") / "lake"
    shutil.copytree(again.lake, lake)
    corpus = lake / "corpus" / "mbpp.jsonl"
    text = corpus.read_text("utf-8")
    assert text.count(BEFORE) == 1
    corpus.write_text(text.replace(BEFORE, AFTER), "utf-8")
    return run_demo(lake)


@pytest.fixture(scope="module")
def deleted(edited: Any, run_demo: Callable[[Path], Any]) -> Any:
    """The fourth run, on that copy, after one problem was deleted from the corpus."""
    corpus = edited.lake / "corpus" / "mbpp.jsonl"
    lines = corpus.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["task_id"] != int(DELETED)]
    assert len(kept) == len(lines) - 1
    corpus.write_text("".join(kept), "utf-8")
    return run_demo(edited.lake)


@pytest.fixture(scope="module")
def verdicts(demo: Any, command: Any) -> dict[tuple[str, str, int], str]:
    """What the first run's verdicts say: (source_id, language, sample) -> verdict."""
    problems = {row["problem_id"]: row["source_id"] for row in command.rows("problems", demo.lake)}
    candidates = {row["candidate_id"]: row for row in command.rows("candidates", demo.lake)}
    found = {}
    for row in command.rows("verdicts", demo.lake):
        asked = candidates[row["candidate_id"]]
        found[(problems[asked["problem_id"]], asked["language"], asked["sample"])] = row["verdict"]
    return found


@pytest.fixture(scope="module")
def rejects(demo: Any, command: Any) -> list[dict[str, Any]]:
    """What the first run refused."""
    found: list[dict[str, Any]] = command.json("rejects", "--limit", "100000", "--dir", demo.lake)
    return found


@pytest.fixture(scope="module")
def offers(command: Any) -> dict[str, dict[str, Any]]:
    """Which languages this machine offers."""
    return {row["id"]: row for row in command.json("languages", "--quick")}


def frozen(lake: Path, release: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The rows of a release as a trainer reads them: from its Parquet files."""
    files = sorted((lake / release["path"] / kind).rglob("*.parquet"))
    assert files
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_stdout_is_one_json_object(demo: Any) -> None:
    """With --json a program can read the whole of stdout."""
    assert demo.done.stdout.endswith("}\n")
    assert demo.report["status"] == "done"
    assert Path(demo.report["lake"]) == demo.lake
    assert [stage["stage"] for stage in demo.report["stages"]] == STAGES
    wanted = {"stage", "in", "kept", "rejected", "new", "executed", "llm_calls", "seconds"}
    assert not [stage for stage in demo.report["stages"] if wanted - stage.keys()]


def test_no_row_is_lost(demo: Any) -> None:
    """in = kept + rejected in every stage, and all of it was new to an empty lake."""
    for stage in demo.report["stages"]:
        assert stage["in"] == stage["kept"] + stage["rejected"] == stage["new"] > 0, stage


def test_programs_were_really_run(demo: Any) -> None:
    """Oracles and candidates were executed, and no model was asked."""
    assert demo.stages["ground"]["executed"] > 0
    assert demo.stages["execute"]["executed"] == demo.stages["execute"]["in"]
    assert sum(stage["llm_calls"] for stage in demo.report["stages"]) == 0


def test_report_is_a_page_without_scripts(demo: Any) -> None:
    """The page is there, tells of every stage, and runs nothing in a browser."""
    page = Path(demo.report["report"]).read_text("utf-8")
    assert not re.search(r"<script|javascript:|\son\w+=|https?://", page, re.I)
    assert not [name for name in STAGES if name not in page]


def test_run_tells_its_progress_and_shows_no_stack_trace(demo: Any, trace: re.Pattern[str]) -> None:
    """Every stage is named on stderr while it runs."""
    assert not [name for name in STAGES if name not in demo.done.stderr]
    assert not trace.search(demo.done.stderr), demo.done.stderr


def test_sql_counts_the_release(demo: Any, command: Any) -> None:
    """The question of the README has an answer."""
    assert command.json("sql", "select count(*) as n from releases", "--dir", demo.lake)[0]["n"] >= 1


def test_sql_on_an_unknown_table_is_refused_in_a_sentence(demo: Any, command: Any, trace: re.Pattern[str]) -> None:
    """Neither Spark's nor Python's stack trace reaches the user."""
    done = command("sql", "SELECT * FROM problms", "--dir", demo.lake)
    assert done.returncode in (1, 2)
    assert "problms" in done.stderr
    assert not trace.search(done.stderr), done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_verdicts_are_those_expected(
    language: str,
    verdicts: dict[tuple[str, str, int], str],
    rejects: list[dict[str, Any]],
    offers: dict[str, dict[str, Any]],
) -> None:
    """Each recorded answer in the language got the verdict that it was written for, and no other answer got one."""
    offer = offers[language]
    if not offer["offered"]:
        refused = [row for row in rejects if row["reason"] == "language_not_offered"]
        assert any(row["subject"].endswith(f" {language}") for row in refused)
        pytest.skip(f"{language} is not offered here: {offer['reason']}")
    expected = {
        (row["source_id"], row["language"], row["sample"]): row["verdict"]
        for row in EXPECTED
        if row["language"] == language
    }
    assert {asked: verdict for asked, verdict in verdicts.items() if asked[1] == language} == expected


@pytest.mark.parametrize(("stage", "subject", "reason"), PLANTED)
def test_planted_flaw_is_refused_with_its_reason(
    stage: str, subject: str, reason: str, rejects: list[dict[str, Any]]
) -> None:
    """The flawed row is among the rejects of the stage that can see its flaw, with a sentence, and only there."""
    found = [row for row in rejects if row["subject"] == subject and row["stage"] == stage]
    assert [row["reason"] for row in found] == [reason]
    assert len(found[0]["detail"]) > len(reason)


@pytest.mark.parametrize(("place", "reason"), NAMELESS)
def test_nameless_row_is_refused_with_file_and_line(place: str, reason: str, rejects: list[dict[str, Any]]) -> None:
    """A row that is refused before its mapping has no name yet, so its file and line are told, and its beginning."""
    found = [row for row in rejects if row["location"].endswith(f"/{place}")]
    assert [(row["stage"], row["reason"]) for row in found] == [("ingest", reason)]
    assert found[0]["excerpt"]


def test_nothing_else_is_refused_on_the_way_to_a_task(rejects: list[dict[str, Any]]) -> None:
    """Up to grounding, the rejects are the planted ones, a solution cut off, and a solution of a refused problem."""
    stages = ("ingest", "reformulate", "ground")
    found = Counter((row["stage"], row["reason"]) for row in rejects if row["stage"] in stages)
    planted = Counter((stage, reason) for stage, _, reason in PLANTED if stage in stages)
    nameless = [*(reason for _, reason in NAMELESS), *WITH_SOLUTIONS]
    assert found - planted == Counter(("ingest", reason) for reason in nameless)
    assert not planted - found


def test_second_run_does_nothing(demo: Any, again: Any) -> None:
    """Nothing is new, no program runs, and what is there is the same."""
    assert not [stage for stage in again.report["stages"] if stage["new"] or stage["executed"] or stage["llm_calls"]]
    counts = ("in", "kept", "rejected")
    for name, stage in again.stages.items():
        assert [stage[c] for c in counts] == [demo.stages[name][c] for c in counts], name


def test_second_run_commits_to_no_table_but_runs(demo: Any, again: Any) -> None:
    """By their Delta versions, all other tables are untouched."""
    assert set(again.versions) == set(all_tables())
    assert {name for name, version in again.versions.items() if version != demo.versions[name]} == {"runs"}


def test_changed_row_flows_through_alone(edited: Any) -> None:
    """One row is new to each stage up to grounding, then its recorded answers are."""
    news = {name: stage["new"] for name, stage in edited.stages.items()}
    answers = sum(row["source_id"] == EDITED for row in EXPECTED)
    assert news == {
        **dict.fromkeys(("ingest", "reformulate", "ground", "release"), 1),
        **dict.fromkeys(("propose", "execute", "judge", "gate"), answers),
    }
    assert not [stage for stage in edited.report["stages"] if stage["in"] != stage["kept"] + stage["rejected"]]


def test_changed_row_writes_its_own_descendants_only(edited: Any, again: Any, command: Any) -> None:
    """Every fact that the run added belongs to the changed problem, and there are as many problems as before."""
    run = edited.report["run_id"]
    fresh = {name: [r for r in command.rows(name, edited.lake) if r["run_id"] == run] for name in FACTS}
    assert not [name for name, rows in fresh.items() if not rows]
    tasks = {row["task_id"] for row in fresh["tasks"]}
    executions = {row["execution_id"] for row in fresh["verdicts"]}
    assert [row["source_id"] for row in fresh["tasks"]] == [EDITED]
    for name in ("cases", "oracles", "candidates", "verdicts", "samples"):
        assert {row["task_id"] for row in fresh[name]} == tasks, name
    assert {row["execution_id"] for row in fresh["case_verdicts"]} == executions
    assert edited.stages["ingest"]["in"] == again.stages["ingest"]["in"]


def test_changed_row_supersedes_the_old_one(edited: Any, command: Any) -> None:
    """The old content stays for time travel, and is not current any more."""
    held = [row for row in command.rows("problems", edited.lake) if row["source_id"] == EDITED]
    assert {row["current"]: AFTER in " ".join(row["tests"]) for row in held} == {True: True, False: False}
    assert len(held) == 2


def test_time_travel_gives_the_older_count(demo: Any, edited: Any, command: Any) -> None:
    """VERSION AS OF shows the table as the first run left it."""
    version = demo.versions["problems"]
    question = f"SELECT (SELECT count(*) FROM problems VERSION AS OF {version}) AS old, count(*) AS now FROM problems"
    then, now = (len(command.rows("problems", ran.lake)) for ran in (demo, edited))
    assert now == then + 1
    assert command.json("sql", question, "--dir", edited.lake) == [{"old": then, "now": now}]


def test_deleted_row_leaves_the_next_release(deleted: Any, edited: Any, command: Any) -> None:
    """The newest frozen Parquet holds nothing of the problem; the release before it does."""
    newest, older = command.json("releases", "--dir", deleted.lake)[:2]
    assert newest["version"] == older["version"] + 1
    for kind in ("tasks", "samples"):
        now, before = frozen(deleted.lake, newest, kind), frozen(deleted.lake, older, kind)
        assert now
        assert len(now) == newest[kind]
        assert DELETED in {row["source_id"] for row in before}
        assert DELETED not in {row["source_id"] for row in now}
    assert newest["tasks"] == older["tasks"] - 1
    assert deleted.stages["execute"]["executed"] == deleted.stages["ground"]["executed"] == 0


def test_deleted_row_stays_as_a_fact(deleted: Any, command: Any) -> None:
    """The table keeps the problem, no longer current."""
    held = [row for row in command.rows("problems", deleted.lake) if row["source_id"] == DELETED]
    assert [row["current"] for row in held] == [False]


def test_release_was_made_by_code_that_ran(demo: Any, command: Any) -> None:
    """Every sample of the release is accepted, its task is in the release, and its card and manifest are there."""
    release = min(command.json("releases", "--dir", demo.lake), key=lambda row: row["version"])
    samples, tasks = (frozen(demo.lake, release, kind) for kind in ("samples", "tasks"))
    assert {row["verdict"] for row in samples} == {"accepted"}
    assert {row["task_id"] for row in samples} <= {row["task_id"] for row in tasks}
    assert not [task for task in tasks if not task["cases"] or not task["licence"]]
    manifest = json.loads((demo.lake / release["path"] / "manifest.json").read_text("utf-8"))
    assert manifest["digest"] == release["digest"]
    assert (demo.lake / release["path"] / "README.md").stat().st_size


@pytest.mark.parametrize("word", ["runs", "rejects", "releases", "tables"])
def test_looking_gives_a_list_of_objects(word: str, demo: Any, command: Any) -> None:
    """Each command that only looks has rows for a program to read."""
    found = command.json(word, "--dir", demo.lake)
    assert found
    assert all(isinstance(row, dict) for row in found)


@pytest.mark.parametrize("table", sorted(UNFILLED))
def test_show_of_an_empty_table_is_an_empty_list(table: str, demo: Any, command: Any) -> None:
    """The demo asks no model; its tables are there all the same."""
    assert command.json("show", table, "--dir", demo.lake) == []


@pytest.mark.parametrize("table", sorted(set(all_tables()) - UNFILLED))
def test_show_gives_rows_with_every_column(table: str, demo: Any, command: Any) -> None:
    """Every other table has rows after the demo, and --limit is kept."""
    found = command.json("show", table, "--limit", "3", "--dir", demo.lake)
    assert 1 <= len(found) <= 3
    assert set(found[0]) == set(all_tables()[table].names)


@pytest.mark.parametrize("format", formats())
def test_export_writes_the_release(format: str, demo: Any, command: Any, tmp_path: Path) -> None:
    """Each trainer's format is a file of JSON Lines beside a manifest."""
    (row,) = command.json("export", "demo", "--format", format, "--out", tmp_path / "out", "--dir", demo.lake)
    lines = [json.loads(line) for line in Path(row["file"]).read_text("utf-8").splitlines()]
    assert len(lines) == row["rows"] > 0
    assert json.loads(Path(row["manifest"]).read_text("utf-8"))["name"] == "demo"


def test_every_row_belongs_to_a_run(deleted: Any, command: Any) -> None:
    """Lineage: after four runs, each row of each table has a run_id that is in `runs`, and all runs are done."""
    runs = command.rows("runs", deleted.lake)
    known = {row["run_id"] for row in runs}
    assert [row["status"] for row in runs] == ["done"] * 4
    for table in sorted(set(all_tables()) - {"runs"} - UNFILLED):
        rows = command.rows(table, deleted.lake)
        assert rows
        assert {row["run_id"] for row in rows} <= known, table


def test_runs_tell_of_their_stages_and_versions(deleted: Any, command: Any) -> None:
    """The newest run holds the counts that it printed, and versions before and after that fit the run before it."""
    newest, before = sorted(command.rows("runs", deleted.lake), key=lambda row: row["run_id"], reverse=True)[:2]
    assert newest["run_id"] == deleted.report["run_id"]
    counts = ("stage", "in", "kept", "rejected", "new", "executed")
    assert [[s[c] for c in counts] for s in newest["stages"]] == [
        [s[c] for c in counts] for s in deleted.report["stages"]
    ]
    others = dict(newest["input_versions"]).items() - {("runs", dict(newest["input_versions"])["runs"])}
    assert others <= dict(before["output_versions"]).items()
