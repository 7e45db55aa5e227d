"""Runs of the real command in processes of their own, and the content of a lake to compare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tasklake.jobs.lake import look
from tasklake.quality.tables import all_tables

# Two runs never agree on these: who ran when, and what an object store or a clock adds.
HISTORY = ("runs",)


def content(lake: str) -> dict[str, list[str]]:
    """The content columns of every row of every table but the runs', sorted."""
    found = {}
    for name, table in all_tables().items():
        if name not in HISTORY:
            columns = ", ".join(f'"{column}"' for column in table.content)
            rows = look.query(lake, f"SELECT {columns} FROM {name}").to_pylist()
            found[name] = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
    return found


@pytest.fixture
def content_of() -> Callable[[str], dict[str, list[str]]]:
    """The function that reads the content of a lake."""
    return content


@pytest.fixture
def tasklake() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command as a user does; the environment is ours with `extra` over it."""

    def call(*words: str, extra: Mapping[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "tasklake.jobs", *words]
        return subprocess.run(
            argv, capture_output=True, text=True, env={**os.environ, **(extra or {})}, check=False, **more
        )

    return call


@pytest.fixture
def small_recipe(tmp_path: Path) -> Path:
    """The demo's corpus cut to a dozen problems and one language, so that a run is short."""
    text = """
name: small
sources:
  - {source: mbpp, name: demo-mbpp, path: "package:demo/mbpp.jsonl", limit: 8}
  - source: codeforces
    name: demo-codeforces
    path: "package:demo/codeforces.jsonl"
    solutions_path: "package:demo/codeforces_cots.jsonl"
    limit: 6
languages: [python, lua]
propose: {provider: replay, path: "package:demo/answers.jsonl", samples: 2}
limits: {cpu_s: 1, output_mb: 1, memory_mb: 512}
release: {name: small}
"""
    path = tmp_path / "small.yaml"
    path.write_text(text)
    return path
