"""Broken corpora and wrong words: each row a task or a reject with its place, each mistake a sentence, nothing lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# Whole runs, several of them behind one fixture: the usual bound is for a single test.
pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.sandbox, pytest.mark.timeout(1800)]

# Beyond every limit of a row, and more than a JVM of the default size would like to hold several times.
HUGE = 50 * 1024 * 1024

# One mistake per line of those listed below.
MISTAKEN = """\
name: Not A Slug
descripton: a key that is misspelt
source:
  source: mbbp
  path: corpus.jsonl
  limit: -3
languages: [python, python]
stages: [ingest, ground]
reformulate:
  provider: magic
ground:
  attempts: twice
limits:
  cpu_s: .nan
  memory_mb: 1.5
gate:
  min_cases: 0
"""
# Line -> what the message has to name there.
MISTAKES = {
    1: "name",
    2: "description",
    4: "mbpp",
    6: "source.limit",
    7: "python",
    8: "stages",
    10: "rules",
    12: "ground.attempts",
    14: "limits.cpu_s",
    15: "limits.memory_mb",
    17: "gate.min_cases",
}


@dataclass(frozen=True)
class Hostile:
    """A run over a hostile corpus: its lake, its process, and line -> reason that the file was made for."""

    lake: Path
    file: Path
    done: Any
    lines: dict[int, str | None]

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """The counts of each stage."""
        return {stage["stage"]: stage for stage in json.loads(self.done.stdout)["stages"]}


def good(task_id: int) -> dict[str, Any]:
    """A problem that the rules understand and whose solution is right."""
    return {
        "task_id": task_id,
        "text": f"Write a function to add {task_id} to a number.",
        "code": f"def plus_{task_id}(n):\n    return n + {task_id}\n",
        "test_list": [f"assert plus_{task_id}({n}) == {n + task_id}" for n in (1, 20, -3)],
        "test_setup_code": "",
        "challenge_test_list": [],
    }


def line(row: dict[str, Any], **changed: Any) -> bytes:
    """The row as a line of JSON Lines."""
    return json.dumps({**row, **changed}).encode()


def corpus() -> Iterator[tuple[bytes, str | None]]:
    """Lines with the reason that each must be refused for; None for good ones, "" for those that are no row."""
    without = {name: value for name, value in good(4).items() if name != "code"}
    yield line(good(1)), None
    yield b"", ""
    yield line(good(3)).replace(b"Write", b"Wr\xff\xfeite"), "bad_utf8"
    yield line(good(4), text="x" * HUGE), "row_too_long"
    yield line(without), "missing_column"
    yield line(good(2)), None
    yield line(good(1), text="Another problem under the same id."), "duplicate_id"
    yield b"   \t ", ""
    yield line(good(7), task_id=float("nan")), "not_a_number"
    yield line(good(8), test_list="assert plus_8(1) == 9"), "wrong_type"
    yield b'["a list", "is no row"]', "bad_json"
    yield line(good(9)), None
    yield line(good(10))[:-40], "bad_json"


@pytest.fixture(scope="module")
def hostile(command: Any, tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """The hostile corpus after `tasklake run mbpp-rules`."""
    folder = tmp_path_factory.mktemp("hostile")
    file, lake = folder / "corpus.jsonl", folder / "lake"
    lines: dict[int, str | None] = {}
    with file.open("wb") as stream:
        for number, (text, reason) in enumerate(corpus(), start=1):
            stream.write(b"\n" * (number > 1) + text)
            if reason != "":
                lines[number] = reason
    done = command("run", "mbpp-rules", "--dir", lake, "--set", f"source.path={file}", "--json")
    assert done.returncode == 0, done.stderr[-4000:]
    return Hostile(lake, file, done, lines)


def assert_one_sentence(done: Any, trace: re.Pattern[str], *named: str) -> None:
    """The command told one error, which names what it is about, and no stack trace; stdout is empty."""
    errors = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert done.stderr.rstrip().splitlines()[-1] == errors[0], done.stderr
    assert not [name for name in named if name not in errors[0]], done.stderr
    assert not trace.search(done.stderr), done.stderr
    assert not done.stdout


def test_good_rows_become_grounded_tasks(hostile: Hostile, command: Any) -> None:
    """Their broken neighbours do them no harm."""
    assert {row["source_id"] for row in command.rows("tasks", hostile.lake)} == {"1", "2", "9"}
    assert hostile.stages["ground"]["kept"] == 3
    assert all(row["agreed"] for row in command.rows("oracles", hostile.lake))


def test_every_other_line_is_a_reject_with_its_place(hostile: Hostile, command: Any) -> None:
    """Each reject has file and line, the reason for which the line was made, and a sentence."""
    rejects = command.json("rejects", "--stage", "ingest", "--limit", "100", "--dir", hostile.lake)
    found = {row["location"]: row["reason"] for row in rejects}
    assert found == {f"{hostile.file}:{n}": reason for n, reason in hostile.lines.items() if reason}
    assert len(found) == len(rejects)
    assert not [row for row in rejects if len(row["detail"]) < 15]


def test_no_line_is_lost(hostile: Hostile) -> None:
    """What went in is kept or rejected; blank lines are no rows."""
    ingest = hostile.stages["ingest"]
    assert ingest["in"] == len(hostile.lines)
    assert not [stage for stage in hostile.stages.values() if stage["in"] != stage["kept"] + stage["rejected"]]


def test_hostile_rows_show_no_stack_trace_and_no_flood(hostile: Hostile, command: Any, trace: re.Pattern[str]) -> None:
    """What a person sees stays short, whatever a row holds."""
    assert not trace.search(hostile.done.stderr), hostile.done.stderr
    shown = command("rejects", "--dir", hostile.lake)
    assert shown.returncode == 0
    assert len(shown.stdout) + len(hostile.done.stderr) < 100_000


@pytest.mark.parametrize(("name", "text"), [("empty.jsonl", b""), ("blank.jsonl", b"\n \n\n")])
def test_empty_corpus_is_refused_and_withdraws_nothing(
    name: str, text: bytes, hostile: Hostile, command: Any, trace: re.Pattern[str], tmp_path: Path
) -> None:
    """A file without a row is nearly always a wrong path: one sentence, and no table but `runs` has a new version."""
    file = tmp_path / name
    file.write_bytes(text)
    before = command.versions(hostile.lake)
    done = command("run", "mbpp-rules", "--dir", hostile.lake, "--set", f"source.path={file}", "--json")
    assert done.returncode == 1
    assert_one_sentence(done, trace, str(file))
    after = command.versions(hostile.lake)
    assert {table for table, version in after.items() if version != before[table]} <= {"runs"}
    assert max(command.rows("runs", hostile.lake), key=lambda row: row["run_id"])["status"] == "failed"


def test_missing_corpus_is_refused(command: Any, trace: re.Pattern[str], tmp_path: Path) -> None:
    """A path that leads nowhere is named in one sentence, before there is a lake."""
    file = tmp_path / "nowhere.jsonl"
    done = command("run", "mbpp-rules", "--dir", tmp_path / "lake", "--set", f"source.path={file}", "--json")
    assert done.returncode in (1, 2)
    assert_one_sentence(done, trace, str(file))
    assert not (tmp_path / "lake").exists()


def test_all_mistakes_of_a_recipe_are_told_at_once(command: Any, trace: re.Pattern[str], tmp_path: Path) -> None:
    """Each with file and line, what is wrong, and the nearest right word; nothing is done."""
    recipe = tmp_path / "mistaken.yaml"
    recipe.write_text(MISTAKEN, "utf-8")
    done = command("run", recipe, "--dir", tmp_path / "lake", "--json")
    assert done.returncode == 2
    assert not done.stdout
    assert not trace.search(done.stderr), done.stderr
    told = dict(re.findall(rf"{re.escape(str(recipe))}:(\d+): (.*)", done.stderr))
    assert set(map(int, told)) == set(MISTAKES)
    assert len(told) >= 10
    assert not {number: told[str(number)] for number, word in MISTAKES.items() if word not in told[str(number)]}
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (["run", "mbpp-rule"], "mbpp-rules"),
        (["plan", "demos"], "demo"),
        (["show", "problms"], "problems"),
        (["rejects", "--stage", "grond"], "ground"),
        (["run", "demo", "--until", "grond"], "ground"),
        (["run", "demo", "--from", "ingst"], "ingest"),
        (["export", "demo", "--format", "jsnol", "--out", "out"], "jsonl"),
        (["run", "demo", "--set", "ground.atempts=2"], "ground.attempts"),
        (["tabels"], "tables"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_unknown_word_is_answered_with_the_nearest(
    words: list[str], right: str, command: Any, trace: re.Pattern[str], tmp_path: Path
) -> None:
    """Exit code 1 or 2, one sentence, the right word; nothing is made."""
    done = command(*words, *(["--dir", tmp_path / "lake"] if words != ["tabels"] else []), cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert_one_sentence(done, trace)
    assert re.search(rf"[Dd]id you mean '?{re.escape(right)}'?\?", done.stderr), done.stderr
    assert not list(tmp_path.rglob("*"))


def test_unknown_release_is_answered_with_those_there_are(demo: Any, command: Any, trace: re.Pattern[str]) -> None:
    """A version that was never made is no stack trace."""
    done = command("export", "demo@99", "--format", "jsonl", "--out", demo.lake.parent / "out", "--dir", demo.lake)
    assert done.returncode in (1, 2)
    assert_one_sentence(done, trace, "demo@1")


@pytest.mark.parametrize("word", ["optimize", "show"])
def test_unknown_table_of_a_lake_is_answered_with_the_nearest(
    word: str, demo: Any, command: Any, trace: re.Pattern[str]
) -> None:
    """A table is looked up before anything is done."""
    done = command(word, "problms", "--dir", demo.lake)
    assert done.returncode in (1, 2)
    assert_one_sentence(done, trace, "did you mean problems?")


@pytest.mark.parametrize("words", [["tables"], ["runs"], ["rejects"], ["releases"], ["show", "problems"]], ids=" ".join)
def test_looking_at_no_lake_says_how_to_make_one(
    words: list[str], command: Any, trace: re.Pattern[str], tmp_path: Path
) -> None:
    """A folder without a lake is told as such, and stays as it was."""
    done = command(*words, "--dir", tmp_path)
    assert done.returncode in (1, 2)
    assert_one_sentence(done, trace, "tasklake demo", str(tmp_path))
    assert not list(tmp_path.rglob("*"))
