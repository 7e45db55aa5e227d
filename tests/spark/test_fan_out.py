"""A Python worker that is killed costs what was in flight, and nothing is stored twice."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tasklake.udfs.spool import KEPT_ROWS

pytestmark = [pytest.mark.spark, pytest.mark.sandbox]

COUNT = 400


def test_killed_worker_runs_at_most_a_segment_again(tmp_path: Path) -> None:
    """Spark begins the task again; rows that lie in segments are neither run nor stored a second time."""
    words = [sys.executable, str(Path(__file__).with_name("fan_out.py")), str(tmp_path / "lake"), str(COUNT), "kill"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["killed"] == 1
    assert (told["programs"], told["accepted"], told["twice"]) == (COUNT, COUNT, 0)
    runs = re.findall(r"executing (\d{6}) in lua", done.stderr)
    assert COUNT <= len(runs) <= COUNT + KEPT_ROWS
    assert len(set(runs)) == COUNT
