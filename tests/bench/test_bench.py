"""Costs as ratios against a reference in the same run, written to build/bench.json; no figure here passes or fails."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklake.sandbox_exec.languages import language
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
# Enough runs that one slow start does not decide, few enough for a coffee.
RUNS = 40


def seconds(once: Callable[[], object]) -> float:
    """The median of a number of runs: other people's load shows in the tail."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        once()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[RUNS // 2]


def record(name: str, value: float, reference: float) -> None:
    """One line of build/bench.json, and on the screen."""
    path = ROOT / "build" / "bench.json"
    rows = json.loads(path.read_text()) if path.exists() else []
    row = {"name": name, "value": value, "reference": reference, "ratio": value / reference, "unit": "s"}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([r for r in rows if r["name"] != name] + [row], indent=1))
    os.write(1, f"\n{name}: {row['ratio']:.2f} x the reference\n".encode())


@pytest.mark.parametrize("name", ["shell", "python", "lua"])
def test_a_step_in_a_box_against_a_bare_process(name, tmp_path):
    """One program with ten cases in a warm pool, against a bare process for each case."""
    pack = language(name)
    program = next(test for test in pack.self_test if test.name == "echo").program.encode()
    (tmp_path / pack.filename).write_bytes(program)
    argv = pack.command("execute")
    bare = seconds(lambda: subprocess.run(argv, cwd=tmp_path, input=b"1 2\n", capture_output=True, check=True))
    with Pool() as pool:
        cases = [Case(b"1 2\n", b"1 2\n")] * 10
        boxed = seconds(lambda: pool.run(program, pack, cases, Limits())) / 10
    record(f"{name}: a case in a box / a bare process", boxed, bare)
