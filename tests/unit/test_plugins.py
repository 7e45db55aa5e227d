"""A mistake in a file of the plugins folder is one sentence that names the file; it is the user's turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklake.jobs import cli
from tasklake.jobs.config import UsageError
from tasklake.jobs.recipe import load_recipe
from tasklake.quality.gates import GateError, all_gates

SOURCE = "LICENCE, VERSION, SCHEMA = 'MIT', '1', {'id': 'string'}\ndef problem(row):\n    return row\n"
GATE = (
    "from tasklake.quality.gates import Gate\n"
    "GATES = [Gate(name='mine', doc='d', holds='true', reason='no', passes=(), fails=())]\n"
)
RECIPE = "name: mine\nsource: {source: own, path: rows.jsonl}\nstages: [ingest]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "gates").mkdir()
    (tmp_path / "mine.yaml").write_text(RECIPE)
    monkeypatch.setenv("TASKLAKE_PLUGINS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run() -> int:
    return cli.main(["run", "mine.yaml", "--dir", "lake", "--until", "nothing"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def problem(:\n", "own.py:1: SyntaxError: "),
        ("x = 1\nimport no_such_module_x\n", "own.py:2: ModuleNotFoundError: No module named 'no_such_module_x'"),
        ("x = 1\ny = x.z\n", "own.py:2: AttributeError: "),
        ("raise SystemExit(7)\n", "own.py:1: SystemExit: 7"),
        ("\0", "own.py"),
        ("", "own.py: LICENCE, VERSION, SCHEMA, problem is missing"),
        (SOURCE.replace("SCHEMA", "SHEMA"), "own.py: SCHEMA is missing"),
        (SOURCE.replace("'1'", "1"), "own.py: VERSION is missing or of a wrong kind"),
        (SOURCE.replace("problem", "problems"), "own.py: problem is missing"),
    ],
)
def test_broken_source_is_told(folder: Path, capsys: pytest.CaptureFixture[str], text: str, told: str) -> None:
    """What a source lacks is told before anything starts, with exit code 2 and no trace."""
    (folder / "sources" / "own.py").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_recipe("mine.yaml", plugins=folder)
    assert f"{folder / 'sources'}/" in str(caught.value)
    assert told in str(caught.value)
    assert run() == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GATES = (\n", "mine.py:1: SyntaxError: "),
        ("import no_such_module_x\n", "mine.py:1: ModuleNotFoundError"),
        (GATE.replace("name='mine', ", ""), "mine.py:2: TypeError: "),
        ("", "mine.py: GATES is missing"),
        ("GATES = ['verdict']\n", "mine.py: GATES holds 'verdict'"),
        (GATE.replace("mine", "program_is_text"), "program_is_text is defined twice"),
    ],
)
def test_broken_gate_is_told(folder: Path, capsys: pytest.CaptureFixture[str], text: str, told: str) -> None:
    """What a file of gates lacks is told with exit code 2 and no trace."""
    (folder / "sources" / "own.py").write_text(SOURCE)
    (folder / "gates" / "mine.py").write_text(text)
    with pytest.raises(GateError) as caught:
        all_gates(folder / "gates")
    assert told in str(caught.value)
    assert run() == 2
    assert "Traceback" not in capsys.readouterr().err


def test_sound_plugins_are_used(folder: Path) -> None:
    """A source and a gate of the folder load, and a recipe may name them."""
    (folder / "sources" / "own.py").write_text(SOURCE)
    (folder / "gates" / "mine.py").write_text(GATE)
    assert "mine" in all_gates(folder / "gates")
    assert load_recipe("mine.yaml", ["gate.gates=mine"], folder).gate.gates == ("mine",)
