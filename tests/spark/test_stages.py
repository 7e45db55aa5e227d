"""Every stage: empty in, empty out; run twice, nothing new; what came in is kept or rejected, never both or neither."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasklake.jobs import fingerprints
from tasklake.jobs.config import load_settings
from tasklake.jobs.lake import Lake, LakeUri, look
from tasklake.jobs.recipe import STAGES, Recipe, load_recipe
from tasklake.jobs.runner import RunReport, plan, run
from tasklake.jobs.sources import load_source
from tasklake.jobs.stage import Run
from tasklake.jobs.stages import load_stage
from tasklake.quality.tables import all_tables

pytestmark = [pytest.mark.spark, pytest.mark.sandbox]

each_stage = pytest.mark.parametrize("name", STAGES)

# One row that goes all the way, and one for each stage that can refuse a row.
PROBLEMS = [
    {
        "task_id": 1,
        "code": "def plus(a):\n    return a + 1\n",
        "test_list": ["assert plus(1) == 2", "assert plus(5) == 6"],
    },
    {
        "task_id": 2,
        "code": "def odd(a):\n    raise ValueError('a bad day')\n",
        "test_list": ["assert odd(1) == 1", "assert odd(2) == 2"],
    },
    {"task_id": 3, "code": "def f(a):\n    return a\n", "test_list": ["assert f(lambda: 1)", "assert f(open)"]},
    {"task_id": "four"},
]
ANSWERS = [
    "```python\nprint(int(input()) + 1)\n```",
    "```python\nprint(int(input()) + 2)\n```",
    "I do not know how to do this.",
]
# Answers that nothing can ask for, with what the refusal names; the last is to a task that was refused: no news.
IDLE: list[tuple[dict[str, Any], str]] = [
    ({"language": "lua"}, "asks for no lua (the languages are python)"),
    ({"sample": 3}, "asks for the samples 0 to 2"),
    ({"sample": -1}, "asks for the samples 0 to 2"),
    ({"source_id": "99"}, "the source holds no problem 99"),
    ({"source": "theirs"}, "reads no source theirs (the sources are ours)"),
    ({"source_id": "2"}, ""),
]
# Refused by each stage: rows of the corpus, of which one is refused by each of the first three, and answers.
REJECTED = {"ingest": 1, "reformulate": 1, "ground": 1, "propose": 6, "execute": 0, "judge": 0, "gate": 1, "release": 0}
KEPT = {"ingest": 3, "reformulate": 2, "ground": 1, "propose": 2, "execute": 2, "judge": 2, "gate": 1, "release": 1}


def recipe(folder: Path, problems: list[dict[str, Any]], answers: list[str], idle: Any = ()) -> Recipe:
    """A recipe over files in the folder: one language, small limits."""
    folder.mkdir()
    rows = [{"text": f"Do what number {n} does.", **problem} for n, problem in enumerate(problems)]
    given = {"source": "ours", "source_id": "1", "language": "python", "model": "us"}
    recorded = [{**given, "sample": n, "answer": answer} for n, answer in enumerate(answers)]
    recorded += [{**given, "sample": 0, "answer": "nobody asked", **other} for other, _ in idle]
    for name, lines in (("problems", rows), ("answers", recorded)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = f"""
name: ours
source: {{source: mbpp, name: ours, path: {folder}/problems.jsonl, allow_empty: true}}
languages: [python]
propose: {{provider: replay, path: {folder}/answers.jsonl, samples: 3}}
limits: {{cpu_s: 5, output_mb: 1}}
"""
    (folder / "recipe.yaml").write_text(text)
    return load_recipe(str(folder / "recipe.yaml"))


@dataclass(frozen=True)
class Done:
    """A recipe that ran twice on one lake, which nobody changes afterwards."""

    lake: str
    recipe: Recipe
    first: RunReport
    second: RunReport
    versions: tuple[dict[str, int], dict[str, int]]


def ran(spark: Any, folder: Path, made: Recipe) -> Done:
    uri = LakeUri.parse(str(folder / "lake"))
    settings = load_settings(lake=str(uri), session="existing")
    first = run(made, settings)
    before = Lake(spark, uri).versions()
    second = run(made, settings)
    return Done(str(uri), made, first, second, (before, Lake(spark, uri).versions()))


@pytest.fixture(scope="module")
def done(spark, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The small corpus, run twice."""
    folder = tmp_path_factory.mktemp("stages")
    return ran(spark, folder, recipe(folder / "corpus", PROBLEMS, ANSWERS, IDLE))


@pytest.fixture(scope="module")
def nothing(spark, tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    """A corpus without a row and no answers, run once."""
    folder = tmp_path_factory.mktemp("nothing")
    settings = load_settings(lake=str(folder / "lake"), session="existing")
    return run(recipe(folder / "corpus", [], []), settings)


def counts(report: RunReport, name: str) -> dict[str, Any]:
    return next(stage.as_dict() for stage in report.stages if stage.stage == name)


@each_stage
def test_empty_in_empty_out(nothing, name):
    """Without a row no stage makes one; the release, whose input is the whole dataset, is refused as empty."""
    found = counts(nothing, name)
    expected = (1, 0, 1) if name == "release" else (0, 0, 0)
    assert (found["in"], found["kept"], found["rejected"]) == expected
    assert found["executed"] == found["llm_calls"] == 0


@each_stage
def test_rejects_are_counted(done, name):
    """Each stage keeps and refuses what the corpus was written to show."""
    found = counts(done.first, name)
    assert (found["kept"], found["rejected"]) == (KEPT[name], REJECTED[name])
    assert found["in"] == found["kept"] + found["rejected"] == found["new"]


@each_stage
def test_run_twice_nothing_new(done, name):
    """The second run finds the same rows, does none of them again and runs no program."""
    first, second = counts(done.first, name), counts(done.second, name)
    assert (second["new"], second["executed"]) == (0, 0)
    assert [second[word] for word in ("in", "kept", "rejected")] == [first[word] for word in ("in", "kept", "rejected")]


def test_run_twice_commits_to_no_table_but_the_runs(done):
    """A run without news makes no version but its own rows in `runs`."""
    before, after = done.versions
    assert {table for table in after if after[table] != before[table]} == {"runs"}


@each_stage
def test_what_came_in_is_an_output_or_a_reject(spark, done, name):
    """Read from the tables: input keys are output keys or reject keys, none of them both."""
    lake = Lake(spark, LakeUri.parse(done.lake), run_id="looking")
    settings = load_settings(lake=done.lake, session="existing")
    this = Run(spark, lake, done.recipe, settings, "looking", lambda stage, facts: None, dry=True)
    stage = load_stage(name)
    given, kept, refused = (
        {(row["key"], row["made_by"]) for row in frame.select("key", "made_by").collect()}
        for frame in (stage.inputs(this), stage.outputs(this), this.rejects(name))
    )
    assert given == kept | refused
    assert not kept & refused


def test_a_dry_look_at_a_stage_changes_nothing(done):
    """Counting what a stage would do writes no table; only rows of `runs` tell of the two runs."""
    rows = look.query(done.lake, "SELECT status FROM runs").to_pylist()
    assert rows == [{"status": "done"}] * 2


@each_stage
def test_a_reject_has_a_reason_and_what_it_takes_to_look_at_it(done, name):
    """Reason as a word, reason as a sentence, source and subject are never empty."""
    rows = look.query(done.lake, f"SELECT * FROM rejects WHERE stage = '{name}' AND current").to_pylist()
    assert len(rows) == REJECTED[name]
    for row in rows:
        assert row["reason"].replace("_", "").isalnum()
        assert len(row["detail"].split()) > 2
        assert row["source"] == "ours"
        assert row["run_id"] == done.first.run_id
        assert row["subject"] or name == "ingest", "a raw row may be too broken to have an identity"


def test_an_answer_that_nothing_asks_for_is_told(done):
    """A misspelt language, source or identity does not vanish; an answer to a refused task is its affair."""
    rows = look.query(done.lake, "SELECT * FROM rejects WHERE reason = 'answer_without_request'").to_pylist()
    expected = [said for _, said in IDLE if said]
    assert len(rows) == len(expected)
    assert not [said for said in expected if not [row for row in rows if said in row["detail"]]]
    assert {row["excerpt"] for row in rows} == {"nobody asked"}
    assert len({row["location"] for row in rows}) == len(rows)
    assert [row["subject"] for row in rows if "theirs" in row["detail"]] == ["theirs/1 python #0"]


def test_a_plan_on_an_empty_lake_takes_no_answer_for_idle(spark, done, tmp_path):
    """Before anything is read, only what the recipe itself rules out is known to be without a request."""
    settings = load_settings(lake=str(tmp_path / "none"), session="existing")
    stages = {row["stage"]: row for row in plan(done.recipe, settings).stages}
    ruled_out = sum(not ({"source_id"} & set(other)) for other, _ in IDLE)
    assert stages["propose"]["known"] == 0
    # Each task of the two that may come is asked for three samples in one language.
    assert stages["propose"]["new"] == stages["ground"]["new"] * 3 + ruled_out


def test_problems_keep_the_revision_of_their_source(done):
    """Without one in the recipe, it is what the source's mapping was written against."""
    rows = look.query(done.lake, "SELECT DISTINCT revision FROM problems").to_pylist()
    assert rows == [{"revision": load_source("mbpp").REVISION}]


def test_a_task_that_is_refused_says_what_its_solution_said(done):
    """The reason ends with the last line of the solution's own words, whole."""
    (row,) = look.query(done.lake, "SELECT detail FROM rejects WHERE stage = 'ground'").to_pylist()
    assert row["detail"] == "none of 1 solutions reproduced the expected outputs: runtime_error, ValueError: a bad day"


def test_programs_were_run_once_each(done):
    """The oracle of each task runs twice by design, each candidate once."""
    assert counts(done.first, "execute")["executed"] == 2
    assert counts(done.first, "ground")["executed"] == 2


@pytest.fixture
def aside(done, tmp_path: Path) -> Path:
    """A copy of the lake that ran, with facts that are superseded."""
    lake = tmp_path / "lake"
    shutil.copytree(done.lake, lake)
    return lake


def test_another_rule_for_releases_makes_another_version(spark, done, aside, monkeypatch):
    """A lake goes on after the rule was raised: the frozen copy before stays as it is, and nothing is frozen twice."""
    (first,) = look.objects(look.query(str(aside), "SELECT * FROM releases"))
    frozen = {path: path.stat().st_mtime_ns for path in (aside / first["path"]).rglob("*") if path.is_file()}
    superseded = {"verdict_id": "old", "candidate_id": "old", "language": "cobol", "verdict": "time_limit"}
    values = [tuple(superseded.get(name) for name in all_tables()["verdicts"].names)]
    made = spark.createDataFrame(values, all_tables()["verdicts"].schema())
    Lake(spark, LakeUri.parse(str(aside))).merge("verdicts", made)
    monkeypatch.setattr(fingerprints, "RELEASE_VERSION", "of another day")
    settings = load_settings(lake=str(aside), session="existing")
    report = run(done.recipe, settings, first="release")
    assert counts(run(done.recipe, settings, first="release"), "release")["new"] == 0
    rows = look.objects(look.query(str(aside), "SELECT * FROM releases ORDER BY version"))
    assert [(row["version"], row["digest"]) for row in rows] == [(1, first["digest"]), (2, first["digest"])]
    assert {path: path.stat().st_mtime_ns for path in frozen} == frozen
    page = Path(report.report).read_text()
    assert "<td>wrong_answer</td><td class='number'>1</td>" in page
    assert "cobol" not in page, "a superseded verdict is counted"
