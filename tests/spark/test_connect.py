"""The stages run over Spark Connect: no attribute of classic Spark is needed, and the content is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasklake.jobs.lake import look
from tasklake.quality.tables import all_tables

# Two runs, the second through a client of its own.
pytestmark = [pytest.mark.connect, pytest.mark.timeout(1800)]

# Two problems of each kind and one language: every stage has something to keep, and the test is short.
RECIPE = """
name: connect
sources:
  - {source: mbpp, name: demo-mbpp, path: "package:demo/mbpp.jsonl", limit: 3}
languages: [python, lua]
propose: {provider: replay, path: "package:demo/answers.jsonl"}
limits: {cpu_s: 2}
"""


def run(recipe: Path, lake: Path, **environment: str) -> dict[str, list[str]]:
    """The content of the lake after a run of the command with this environment."""
    words = [sys.executable, "-m", "tasklake.jobs", "run", str(recipe), "--dir", str(lake), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, done.stderr
    found = {}
    for name, table in all_tables().items():
        if name != "runs":
            columns = ", ".join(f'"{column}"' for column in table.content)
            rows = look.query(str(lake), f"SELECT {columns} FROM {name}").to_pylist()
            found[name] = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
    return found


def test_a_run_over_connect_leaves_the_content_of_a_classic_run(tmp_path):
    """Every stage to the release, once through a Connect client and once through a classic session."""
    recipe = tmp_path / "connect.yaml"
    recipe.write_text(RECIPE)
    classic = run(recipe, tmp_path / "classic", TASKLAKE_SESSION="local")
    connect = run(recipe, tmp_path / "connect", TASKLAKE_SESSION="connect", TASKLAKE_SPARK_REMOTE="local[2]")
    assert connect == classic
    assert classic["releases"], "the small recipe ends with a release, or the test compares nothing"
