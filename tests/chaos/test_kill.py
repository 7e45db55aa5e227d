"""A killed driver loses nothing, repeats nothing that was finished, and blocks nobody."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO

import pytest

from tasklake.udfs.spool import KEPT_ROWS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(5400)]

DRIVER = Path(__file__).with_name("driver.py")
SEED = 20261121
KILLS = 30
# Kills on one lake before the run is left to finish: the state that a kill leaves is itself killed again.
CHAIN = 10
# A cold run of the small recipe takes about this long; kills fall evenly over it.
SPAN_S = 45.0
# Slots of a local session on this machine: the programs that can be in flight at once.
SLOTS = os.cpu_count() or 1


def executions(log: str) -> Counter[str]:
    """How often each program was started, from the workers' own log."""
    return Counter(re.findall(r"executing ([0-9a-f]{64})", log))


@pytest.fixture
def undisturbed(tasklake, content_of, small_recipe, tmp_path):
    """The content that one undisturbed run of the small recipe leaves."""
    lake = str(tmp_path / "undisturbed")
    done = tasklake("run", str(small_recipe), "--dir", lake, "--json")
    assert done.returncode == 0, done.stderr
    return content_of(lake)


def start(recipe: Path, lake: str, log: IO[bytes], *before: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, *(before or ("-m", "tasklake.jobs")), "run", str(recipe), "--dir", lake, "--json"]
    environment = {**os.environ, "TASKLAKE_LOG_LEVEL": "info"}
    return subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)


def finish(tasklake, recipe: Path, lake: str) -> str:
    """The run that is left alone succeeds; its log."""
    done = tasklake("run", str(recipe), "--dir", lake, "--json", extra={"TASKLAKE_LOG_LEVEL": "info"})
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_kills_at_random_instants_leave_the_content_of_an_undisturbed_run(
    tasklake, content_of, small_recipe, undisturbed, tmp_path
):
    """30 kills at seeded instants, in chains on three lakes: equal content, and repeats only of what was in flight."""
    chance = random.Random(SEED)
    for chain in range(KILLS // CHAIN):
        lake, log_path = str(tmp_path / f"random-{chain}"), tmp_path / f"random-{chain}.log"
        with log_path.open("wb") as log:
            for _ in range(CHAIN):
                process = start(small_recipe, lake, log)
                time.sleep(chance.uniform(2, SPAN_S))
                process.send_signal(signal.SIGKILL)
                process.wait()
        last = finish(tasklake, small_recipe, lake)
        assert content_of(lake) == undisturbed
        started = executions(log_path.read_text(errors="replace") + last)
        repeated = sum(count - 1 for count in started.values())
        # Grounding runs each oracle twice by design; beyond that only what was in flight or in an open segment repeats.
        grounding = sum(1 for row in undisturbed["oracles"])
        assert repeated <= grounding + CHAIN * SLOTS * (1 + KEPT_ROWS)


def test_kills_beside_every_commit_leave_the_content_of_an_undisturbed_run(
    tasklake, content_of, small_recipe, undisturbed, tmp_path
):
    """Right before and right after each commit of a run, in turn on one lake: equal content, and no lease blocks."""
    lake = str(tmp_path / "commits")
    with (tmp_path / "commits.log").open("wb") as log:

        def killed(when: str, kind: str, number: int) -> bool:
            ended = start(small_recipe, lake, log, str(DRIVER), when, kind, str(number)).wait()
            assert ended in (0, -signal.SIGKILL), log.name
            return ended != 0

        # A run writes its own row as it begins and as it ends, whatever there is to do.
        assert all(killed(when, "runs", 1) for when in ("before", "after"))
        kills = 0
        # After each pair of kills, the first commit of the next run is one further.
        while all(killed(when, "others", 1) for when in ("before", "after")):
            kills += 2
            assert kills <= 60, "the run still does not end: it makes no progress"
        assert kills >= 20, "a run has at least ten commits, each with two kills"
        assert all(killed(when, "runs", 2) for when in ("before", "after"))
    finish(tasklake, small_recipe, lake)
    assert content_of(lake) == undisturbed
