"""Whoever follows CONTRIBUTING.md adds a source, a gate and a language with one file each: its own text is run."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Whole runs, several of them behind one fixture: the usual bound is for a single test.
pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.sandbox, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PACKAGES = ("jobs", "quality", "sandbox_exec", "udfs")
FENCE = re.compile(r"^```(?P<kind>\w+)(?: file=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)
# Where CONTRIBUTING.md lets the plugins folder lie.
PLUGINS = "build/plugins"


def section(title: str) -> list[re.Match[str]]:
    """The code fences below a heading, up to the next one."""
    found = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^#|\Z)", prose(), re.M | re.S)
    assert found, f"CONTRIBUTING.md has no section {title}"
    return list(FENCE.finditer(TEXT, found.start(), found.end()))


def prose() -> str:
    """The text with the insides of fences blanked out: a comment in an example is no heading."""
    return FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), TEXT)


@pytest.fixture(scope="module")
def newcomer(demo: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a newcomer has it: the environment, a lake of the demo, and the plugin examples at their places."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / ".venv").symlink_to(sys.prefix)
    shutil.copytree(demo.lake, folder / "demo-lake")
    for title in ("A source", "A gate", "A language"):
        for fence in section(title):
            if fence["file"]:
                place = folder / PLUGINS / fence["file"]
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(fence["text"], "utf-8")
    return folder


@pytest.fixture(scope="module")
def follow(newcomer: Path, environment: Callable[[], dict[str, str]]) -> Callable[[str], str]:
    """Runs the commands that a section shows, all of them as they stand; their output."""

    def run(title: str) -> str:
        script = "\n".join(fence["text"] for fence in section(title) if fence["kind"] == "sh")
        assert script
        argv = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(argv, cwd=newcomer, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_plugin_examples_are_one_file_each() -> None:
    """Besides a corpus to try it on, each section shows one file."""
    files = {title: [f["file"] for f in section(title) if f["file"]] for title in ("A source", "A gate", "A language")}
    assert [len([file for file in each if not file.endswith("l") or "/" in file]) for each in files.values()] == [
        1,
        1,
        1,
    ]


def test_source_of_a_newcomer_is_read(newcomer: Path, follow: Callable[[str], str], command: Any) -> None:
    """Its rows become a grounded task, and rejects at the stages that CONTRIBUTING.md names."""
    assert "needs_screen" in follow("A source")
    lake = newcomer / "build" / "colours-lake"
    assert {row["source_id"] for row in command.rows("tasks", lake)} == {"1", "2"}
    assert [row["agreed"] for row in command.rows("oracles", lake)].count(True) == 1
    rejects = command.json("rejects", "--dir", lake)
    assert {(row["stage"], row["reason"]) for row in rejects} == {
        ("ingest", "needs_screen"),
        ("ground", "oracle_wrong_answer"),
    }
    assert next(row for row in rejects if row["stage"] == "ingest")["location"].endswith("colours.jsonl:3")


def test_gate_of_a_newcomer_judges(newcomer: Path, follow: Callable[[str], str], command: Any, demo: Any) -> None:
    """All verdicts are judged again without running what is known; an answer with a TODO is refused by the new gate."""
    lake = newcomer / "demo-lake"
    unfinished = leave_a_todo(lake / "corpus" / "answers.jsonl", command.rows("samples", lake))
    told = follow("A gate")
    assert "program_is_finished" in told
    newest = max(command.rows("runs", lake), key=lambda row: row["run_id"])
    stages = {stage["stage"]: stage for stage in newest["stages"]}
    assert stages["gate"]["new"] == stages["gate"]["in"] == demo.stages["gate"]["in"]
    assert stages["gate"]["kept"] == demo.stages["gate"]["kept"] - 1
    assert stages["ground"]["executed"] == 0
    assert stages["execute"]["executed"] == stages["execute"]["new"] == 1
    refused = command.json("rejects", "--stage", "gate", "--limit", "1000", "--dir", lake)
    finished = [row for row in refused if row["reason"] == "program_is_finished"]
    assert len(finished) == 1
    assert unfinished in finished[0]["subject"]
    assert {row["version"] for row in command.json("releases", "--dir", lake)} == {1, 2}


def leave_a_todo(answers: Path, samples: list[dict[str, Any]]) -> str:
    """One accepted Python answer holds a TODO now; the source_id of its problem."""
    accepted = {(row["source"], row["source_id"]) for row in samples if row["language"] == "python"}
    lines = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    chosen = next(
        row
        for row in lines
        if (row["source"], row["source_id"]) in accepted and row["language"] == "python" and row["sample"] == 0
    )
    chosen["answer"], count = re.subn(r"(```py\w*\n)", r"\1# TODO: tidy up\n", chosen["answer"], count=1)
    assert count == 1
    answers.write_text("".join(json.dumps(row) + "\n" for row in lines), "utf-8")
    return str(chosen["source_id"])


def test_language_of_a_newcomer_is_offered(newcomer: Path, follow: Callable[[str], str], command: Any) -> None:
    """The pack is listed, and each of its self-tests gets the verdict that the pack expects."""
    plugins = {"TASKLAKE_PLUGINS": str(newcomer / PLUGINS)}
    offers = {row["id"]: row for row in command.json("languages", "--quick", variables=plugins)}
    assert "awk" in offers
    assert "awk" not in {row["id"] for row in command.json("languages", "--quick")}
    if not offers["awk"]["offered"]:
        pytest.skip(f"awk is not offered here: {offers['awk']['reason']}")
    rows = [ast.literal_eval(line) for line in follow("A language").splitlines() if line.startswith(("{", "("))]
    assert len(rows) >= 6
    assert not [row for row in rows if row["expected"] != row["got"]]


@pytest.fixture(scope="module")
def checkout(newcomer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with those examples that belong inside it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / "tasklake" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for title in ("An export", "A provider", "A checker or an isolation level"):
        for fence in section(title):
            if fence["file"]:
                (folder / "tasklake" / fence["file"]).write_text(fence["text"], "utf-8")
    return folder


def test_export_of_a_newcomer_is_a_format(checkout: Path, newcomer: Path, command: Any, tmp_path: Path) -> None:
    """The release is written in the new format by naming it."""
    words = ["export", "demo", "--format", "chat", "--out", tmp_path, "--dir", newcomer / "demo-lake"]
    (row,) = command.json(*words, variables={"PYTHONPATH": str(checkout)})
    lines = [json.loads(line) for line in Path(row["file"]).read_text("utf-8").splitlines()]
    assert lines
    assert all([m["role"] for m in line["messages"]] == ["user", "assistant"] for line in lines)


@pytest.mark.parametrize(("title", "said"), [("A checker or an isolation level", "accepted"), ("A provider", "hello")])
def test_what_a_newcomer_adds_inside_works(
    checkout: Path, environment: Callable[[], dict[str, str]], title: str, said: str
) -> None:
    """The commands of its section, run on the copy, print what they should: a verdict, an answer."""
    script = "\n".join(f["text"] for f in section(title) if f["kind"] == "sh")
    if not (checkout / ".venv").exists():
        (checkout / ".venv").symlink_to(sys.prefix)
    variables = environment() | {"PYTHONPATH": str(checkout)}
    argv = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(argv, cwd=checkout, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr
