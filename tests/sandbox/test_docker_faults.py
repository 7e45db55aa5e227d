"""Whoever dies first, caller, container or engine: no verdict changes; no container and no process is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from watching import PATIENCE_S, processes_with, within_patience

from tasklake.sandbox_exec.containers import engine as ours
from tasklake.sandbox_exec.containers.reaper import OWNER
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case, Result, Verdict

pytestmark = [pytest.mark.sandbox, pytest.mark.docker]

ANSWER = [Case(b"", b"3\n")]
# Never two containers of one kind: the caller is killed while one is made as often as while one runs.
BUSY = """
import itertools, sys
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case
with Pool(2, "docker") as pool:
    sys.stdout.write("ready\\n"), sys.stdout.flush()
    for n in itertools.count(100):
        pool.run("sleep 0.2; echo 3 # " + sys.argv[1], "shell", [Case(b"", b"3\\n")], Limits(open_files=n))
"""
# Makes containers that it never starts, and is gone: one as if by a process that has died, one by a living one.
LEAVING = """
import os, sys
from tasklake.sandbox_exec.containers import engine, image
from tasklake.sandbox_exec.containers.reaper import owner
client = engine.client()
for who in (os.getpid(), os.getppid()):
    labels = {"tasklake": "left", "tasklake.owner": owner(who)}
    print(client.api.create_container(image.image(client), ["/usr/bin/true"], labels=labels)["Id"])
"""


def containers_of(process: int) -> list[dict[str, Any]]:
    """The containers that the process has asked for."""
    rows = ours.client().api.containers(all=True, filters={"label": OWNER})
    return [row for row in rows if f":{process}:" in row["Labels"][OWNER]]


def slow(mark: str) -> str:
    """Says 3 after two seconds, of which a process with the mark tells."""
    return f"sh -c 'sleep 2; : {mark}'; echo 3"


@contextmanager
def running(pool: Pool, mark: str) -> Iterator[Future[Result]]:
    """The result to come of a program that has begun to run."""
    told = pool.submit(Job(slow(mark), "shell", ANSWER, Limits(wall_s=30.0)))
    assert within_patience(lambda: processes_with(mark))
    yield told


@pytest.mark.parametrize("seed", range(8))
def test_killed_caller_leaves_nothing(docker_engine: Any, seed: int) -> None:
    """Killed at any instant, a caller leaves no container, made or running, no process, and no folder."""
    mark, folder = uuid.uuid4().hex, tempfile.mkdtemp()
    environment = {**os.environ, "TMPDIR": folder}
    caller = subprocess.Popen([sys.executable, "-c", BUSY, mark], env=environment, stdout=subprocess.PIPE)
    assert caller.stdout is not None
    assert caller.stdout.readline() == b"ready\n"
    time.sleep(random.Random(seed).uniform(0.0, 2.5))
    caller.kill()
    caller.communicate()
    assert within_patience(lambda: not processes_with(mark))
    assert within_patience(lambda: not os.listdir(folder)), os.listdir(folder)
    assert not containers_of(caller.pid)
    os.rmdir(folder)


def test_what_dead_callers_left_is_found(docker_engine: Any) -> None:
    """Where whoever watches was killed as well, the next caller takes away what was left, and nothing of the living."""
    done = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True, check=True)
    dead, alive = done.stdout.split()
    api = ours.client().api
    try:
        with Pool(1, "docker") as pool:
            assert pool.run("echo 3", "shell", ANSWER).verdict is Verdict.accepted
            left = within_patience(lambda: dead not in {row["Id"] for row in api.containers(all=True)})
        assert left
        assert alive in {row["Id"] for row in api.containers(all=True)}
    finally:
        api.remove_container(alive)


def test_container_that_is_taken_away_is_replaced(docker_engine: Any) -> None:
    """Somebody removes the container in the middle of a case: the case runs again in another, with the same verdict."""
    mark = uuid.uuid4().hex
    with Pool(1, "docker") as pool, running(pool, mark) as told:
        (first,) = containers_of(os.getpid())
        ours.client().api.remove_container(first["Id"], force=True)
        assert told.result(PATIENCE_S).verdict is Verdict.accepted
        (second,) = containers_of(os.getpid())
        assert second["Id"] != first["Id"]
    assert not containers_of(os.getpid())


def test_engine_is_stopped(docker_engine: Any) -> None:
    """A program that runs while the engine stops is not judged; no process stays; once it is back, all goes on."""
    mark = uuid.uuid4().hex
    with Pool(1, "docker") as pool:
        with running(pool, mark) as told:
            docker_engine.stop()
            assert within_patience(lambda: not processes_with(mark))
            found = told.result(PATIENCE_S)
        assert found.verdict is Verdict.internal_error
        assert b"Docker engine" in found.cases[0].stderr_tail
        docker_engine.start()
        assert pool.run("echo 3", "shell", ANSWER).verdict is Verdict.accepted
    assert not containers_of(os.getpid())


def test_engine_is_killed(docker_engine: Any) -> None:
    """A program that runs while the engine is killed is judged all the same; the pool's end is its containers' end."""
    mark = uuid.uuid4().hex
    with Pool(1, "docker") as pool:
        with running(pool, mark) as told:
            docker_engine.stop(signal.SIGKILL)
            assert told.result(PATIENCE_S).verdict is Verdict.accepted
        again = pool.submit(Job(slow(mark), "shell", ANSWER, Limits(wall_s=30.0)))
        assert within_patience(lambda: processes_with(mark))
    assert again.result(PATIENCE_S).verdict is Verdict.accepted
    assert within_patience(lambda: not processes_with(mark))
    docker_engine.start()
    assert within_patience(lambda: not containers_of(os.getpid()))
    with Pool(1, "docker") as pool:
        assert pool.run("echo 3", "shell", ANSWER).verdict is Verdict.accepted


def test_engine_comes_and_goes_under_many_programs(docker_engine: Any) -> None:
    """While the engine is killed and stopped and started again, a program is judged rightly or said to be unjudged."""
    with Pool(2, "docker") as pool:
        jobs = [Job(f"sleep 0.1; echo 3 # {n}", "shell", ANSWER, Limits(open_files=100 + n % 9)) for n in range(40)]
        told = [pool.submit(job) for job in jobs]
        for how in (signal.SIGKILL, signal.SIGTERM):
            time.sleep(1.0)
            docker_engine.stop(how)
            docker_engine.start()
        verdicts = [each.result(PATIENCE_S).verdict for each in told]
        assert pool.run("echo 3", "shell", ANSWER).verdict is Verdict.accepted
    assert set(verdicts) <= {Verdict.accepted, Verdict.internal_error}
    assert within_patience(lambda: not containers_of(os.getpid()))
