"""A killed driver, worker or server costs what was in flight and one open segment, counted at the server."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tasklake.jobs.lake import look
from tasklake.udfs.llm.sink import OPEN_ROWS

pytestmark = [pytest.mark.spark, pytest.mark.timeout(7200)]

ASKING = Path(__file__).with_name("asking.py")
IN_FLIGHT = 8
SEED = 20261121
KILLS = 30
# What is killed, in turn: the first decides nothing, chance decides when.
VICTIMS = ("driver", "worker", "server")


class Scene:
    """A server and a process that asks it, each of which may be killed and started again."""

    def __init__(self, folder: Path, lake: str, count: int, port: int, *faults: str):
        self.folder, self.lake, self.count = folder, lake, count
        self.log = folder / "answered.log"
        self.log.touch()
        self.port, self.faults = port, faults
        self.server = self.asker = None
        self.serve()

    def serve(self) -> None:
        """The server listens, on the port that it had before."""
        words = [
            "llm",
            "serve-fake",
            "--port",
            str(self.port),
            "--latency",
            "0.1:0.5",
            "--log",
            str(self.log),
            *self.faults,
        ]
        self.server = subprocess.Popen(
            [sys.executable, "-m", "tasklake.jobs", *words],
            stderr=subprocess.PIPE,
            text=True,
            stdout=subprocess.DEVNULL,
        )
        assert self.server.stderr is not None
        assert "listening" in self.server.stderr.readline()

    def ask(self) -> None:
        """The asking process is at work."""
        words = [self.lake, f"http://127.0.0.1:{self.port}/v1", str(self.count), str(IN_FLIGHT)]
        self.output = (self.folder / "asking.log").open("ab")
        # A group of its own: whoever dies in it tells the others of its group, and pytest is none of them.
        self.asker = subprocess.Popen(
            [sys.executable, str(ASKING), *words], stdout=self.output, stderr=self.output, start_new_session=True
        )

    @property
    def answers(self) -> Counter[str]:
        """How often each request was answered."""
        return Counter(self.log.read_text().split())

    def wait_for_answers(self, more: int) -> bool:
        """So many more answers have come; False when the process has ended before."""
        wanted = self.answers.total() + more
        while self.answers.total() < wanted:
            if self.asker.poll() is not None:
                return False
            time.sleep(0.05)
        return True

    def kill(self, victim: str) -> None:
        """The victim is dead, without a chance to say goodbye; a driver or server is there again."""
        if victim == "worker":
            for pid in workers(self.asker.pid)[:1]:
                os.kill(pid, signal.SIGKILL)
            return
        process = self.asker if victim == "driver" else self.server
        process.send_signal(signal.SIGKILL)
        process.wait()
        if victim == "server":
            self.serve()
        else:
            self.ask()

    def close(self) -> None:
        for process in (self.asker, self.server):
            if process is not None:
                process.kill()
                process.wait()


def workers(root: int) -> list[int]:
    """The Python workers below a process: forked by a daemon, which has the same words and must live."""
    parents: dict[int, int] = {}
    daemons: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid = int(stat.parent.name)
            parents[pid] = int(stat.read_text().rpartition(")")[2].split()[1])
            if b"pyspark.daemon" in (stat.parent / "cmdline").read_bytes():
                daemons.add(pid)
        except OSError:
            continue

    def is_below(pid: int) -> bool:
        return pid == root or (pid in parents and is_below(parents[pid]))

    return sorted(pid for pid in daemons if parents[pid] in daemons and is_below(pid))


@pytest.fixture
def scene(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., Scene]]:
    """Sets a scene up, and clears it away."""
    scenes: list[Scene] = []

    def made(count: int, lake: str | None = None, *faults: str) -> Scene:
        scenes.append(Scene(tmp_path, lake or str(tmp_path / "lake"), count, free_port(), *faults))
        return scenes[-1]

    yield made
    for each in scenes:
        each.close()


def played(scene: Scene, victims: list[str], chance: random.Random, most: int) -> dict[str, Any]:
    """What the server counted when every victim had been killed and the rest was left to finish."""
    scene.ask()
    killed = Counter()
    for victim in victims:
        if not scene.wait_for_answers(chance.randrange(1, most)):
            break
        scene.kill(victim)
        killed[victim] += 1
    while scene.asker.wait() != 0:
        # A dead server for longer than the run waits, or a worker killed too often: the user runs again.
        scene.ask()
    answers = scene.answers
    return {"killed": killed, "requests": len(answers), "repeated": answers.total() - len(answers)}


def held(scene: Scene) -> list[dict[str, Any]]:
    return look.query(scene.lake, "SELECT request_key FROM llm_responses WHERE answered").to_pylist()


@pytest.mark.wide
def test_a_driver_and_a_worker_are_killed_once(scene):
    """Each request is answered in the table once; the server answered again at most the stated bound for each kill."""
    one = scene(600)
    told = played(one, ["driver", "worker"], random.Random(SEED), 150)
    assert told["requests"] == 600
    assert len(held(one)) == len({row["request_key"] for row in held(one)}) == 600
    assert told["repeated"] <= told["killed"].total() * (IN_FLIGHT + OPEN_ROWS)


def test_planted_secrets_are_found_nowhere(scene, tmp_path, monkeypatch):
    """A key in the environment and a server that echoes it in its 401: no file, log, event or message holds it."""
    key = "sk-planted-5f2c9b7a1e"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    events = tmp_path / "events"
    events.mkdir()
    options = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": str(events),
        "spark.local.dir": str(tmp_path / "local"),
    }
    words = " ".join(f"--conf {name}={value}" for name, value in options.items())
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", f"{words} pyspark-shell")
    one = scene(60, None, "--fault", "auth:0.1:99")
    one.ask()
    assert one.asker.wait() != 0
    said = (tmp_path / "asking.log").read_text()
    assert "refuses the key of OPENAI_API_KEY" in said
    assert held(one) or list((tmp_path / "lake" / "tables" / "llm_responses").glob("*.parquet"))
    assert list(events.iterdir())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if key.encode() in unpacked(path)]


def unpacked(path: Path) -> bytes:
    """The bytes of a file; of Parquet, whose pages are compressed, the values as well."""
    data = path.read_bytes()
    return data + str(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else data


@pytest.mark.chaos
@pytest.mark.parametrize("where", ["local", "s3"])
def test_kills_at_random_instants_repeat_what_was_in_flight_and_one_open_segment(scene, where, request):
    """30 kills at seeded instants, of driver, worker and server in turn, on a local lake and on S3."""
    lake = request.getfixturevalue("store") if where == "s3" else None
    one = scene(6000, lake)
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(KILLS)]
    told = played(one, victims, random.Random(SEED), 350)
    assert told["killed"].total() == KILLS
    assert told["requests"] == 6000
    assert len(held(one)) == len({row["request_key"] for row in held(one)}) == 6000
    assert told["repeated"] <= KILLS * (IN_FLIGHT + OPEN_ROWS)
