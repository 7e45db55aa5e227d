"""One Spark session for the whole test run, made as users' sessions are made, and lakes to write to."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasklake.jobs.config import Settings, java_command, load_settings
from tasklake.jobs.lake import Lake, LakeUri
from tasklake.jobs.session import session
from tasklake.quality.tables import all_tables
from tasklake.udfs.llm.fake.faults import parse_faults
from tasklake.udfs.llm.fake.server import FAKE, Behaviour, start

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


# Where tests run side by side, a piece of work is a file, but for the tier that shares a session: that is one.
WHOLE = "spark"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Two pieces of work are done at the same time (make test)."""
    from xdist.scheduler import LoadScopeScheduling

    class Pieces(LoadScopeScheduling):
        """The files, in their order, and one tier whole."""

        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            tier = file.split("/")[1]
            return tier if tier == WHOLE else file

    return Pieces(config, log)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The session of `tasklake` itself, with every setting that a user's local session has; one JVM per test run."""
    if java_command() is None:
        pytest.skip("java is not installed; the spark tier needs it (apt-get install openjdk-17-jre-headless)")
    settings = load_settings(
        lake=str(tmp_path_factory.mktemp("session")),
        session="local",  # what the environment names would be another session than the one described here
        spark_master="local[2]",  # the same tasks side by side on every machine
        driver_memory="1g",  # the end-to-end tier starts drivers of its own beside this one
    )
    with session(settings, LakeUri.parse(settings.lake)) as made:
        yield made


@pytest.fixture(scope="session")
def empty_lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with every table and no row, made once: to look at and to copy, never to write to."""
    folder = tmp_path_factory.mktemp("empty") / "lake"
    Lake(spark, LakeUri.parse(str(folder))).ensure()
    return folder


@pytest.fixture
def lake(spark: SparkSession, empty_lake: Path, tmp_path: Path) -> Lake:
    """A fresh lake with every table and no row."""
    folder = tmp_path / "lake"
    shutil.copytree(empty_lake, folder)
    return Lake(spark, LakeUri.parse(str(folder)), run_id="first")


@pytest.fixture
def settings(lake: Lake) -> Settings:
    """Settings that name the fresh lake; commands take the session of this test run."""
    return load_settings(lake=str(lake.uri), session="existing")


@pytest.fixture
def frame(spark: SparkSession) -> Callable[..., DataFrame]:
    """Makes a frame of a table from rows that give some columns; the others are null."""

    def made(table: str, *rows: Mapping[str, Any]) -> DataFrame:
        definition = all_tables()[table]
        unknown = {name for row in rows for name in row} - set(definition.names)
        assert not unknown, f"{table} has no column {unknown}"
        values = [tuple(row.get(name) for name in definition.names) for row in rows]
        return spark.createDataFrame(values, definition.schema())

    return made


class FakeLlm:
    """The server of `tasklake llm serve-fake` in a thread of this process."""

    def __init__(self, **behaviour: Any):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        faults = parse_faults(behaviour.pop("faults", ()))
        self.runner, port = self._run(start(Behaviour(faults=faults, **behaviour)))
        self.state = self.runner.app[FAKE]
        self.url = f"http://127.0.0.1:{port}/v1"

    def misbehave(self, *faults: str, **more: Any) -> None:
        """The server does this from now on."""
        self.state.behaviour = replace(self.state.behaviour, faults=parse_faults(faults), **more)

    def forget(self) -> None:
        """All counts begin again."""
        for counted in (self.state.received, self.state.answered, self.state.times):
            counted.clear()

    def close(self) -> None:
        """Nobody listens any more; fine when nobody did."""
        if self.loop.is_running():
            self._run(self.runner.cleanup())
            self.loop.call_soon_threadsafe(self.loop.stop)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)


@pytest.fixture
def fake_llm() -> Iterator[Callable[..., FakeLlm]]:
    """Starts a real server that answers like a model and fails on demand."""
    servers: list[FakeLlm] = []

    def started(**behaviour: Any) -> FakeLlm:
        servers.append(FakeLlm(**behaviour))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A port of this machine that nobody uses."""

    def found() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return found


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]) -> Iterator[str]:
    """A real S3 protocol server with one bucket; the root of a lake in it."""
    port = free_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        import boto3
        from botocore.exceptions import EndpointConnectionError

        for _ in range(100):
            try:
                boto3.client("s3").create_bucket(Bucket="lake-bucket")
                break
            except EndpointConnectionError:
                time.sleep(0.2)
        yield "s3://lake-bucket/lake"
    finally:
        server.terminate()
        server.wait()
