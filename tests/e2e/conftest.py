"""The real command, and one run of the demo that all tests of this folder look at and none changes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# What Python, Java and Spark print before or inside a stack trace.
TRACE = re.compile(r'Traceback|^\s+File "|^\s+at [\w.$]+\(|Caused by:|Exception in thread|py4j|^[\w.]+Exception:', re.M)
# More rows than any table of these tests has.
ALL = "100000"


@dataclass(frozen=True)
class Command:
    """The installed command `tasklake`, called as a person calls it: in a process and a folder of its own."""

    program: Path
    folder: Path

    def __call__(
        self, *words: str | Path, cwd: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What came of it; nothing is asserted here."""
        argv = [str(self.program), *map(str, words)]
        environment = {**clean_environment(), **(variables or {})}
        return subprocess.run(
            argv, cwd=cwd or self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def json(self, *words: str | Path, variables: Mapping[str, str] | None = None) -> Any:
        """The one JSON value that a command which must succeed prints."""
        done = self(*words, "--json", variables=variables)
        assert done.returncode == 0, f"{words} ended with {done.returncode}: {done.stderr[-2000:]}"
        assert not TRACE.search(done.stderr), done.stderr[-2000:]
        return json.loads(done.stdout)

    def rows(self, table: str, lake: Path) -> list[dict[str, Any]]:
        """All rows of a table."""
        found: list[dict[str, Any]] = self.json("show", table, "--limit", ALL, "--dir", lake)
        return found

    def versions(self, lake: Path) -> dict[str, int]:
        """The Delta version of every table; a view has none."""
        rows = self.json("tables", "--dir", lake)
        return {table["name"]: table["version"] for table in rows if table["version"] is not None}


@dataclass(frozen=True)
class Ran:
    """One finished run of the demo: its lake, its process, and the versions that it left behind."""

    lake: Path
    done: subprocess.CompletedProcess[str]
    versions: Mapping[str, int]

    @property
    def report(self) -> dict[str, Any]:
        """What the run printed on stdout."""
        found: dict[str, Any] = json.loads(self.done.stdout)
        return found

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """The counts of each stage."""
        return {stage["stage"]: stage for stage in self.report["stages"]}


def clean_environment() -> dict[str, str]:
    """The environment without what would change a setting or a module path."""
    foreign = ("TASKLAKE_", "PYTHONPATH", "PYTHONHOME", "PYSPARK_PYTHON", "SPARK_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"COLUMNS": "200"}


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command of this environment, called in an empty folder."""
    program = Path(sys.executable).with_name("tasklake")
    assert program.exists(), f"{program} is missing: run make setup"
    return Command(program, tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(scope="session")
def environment() -> Callable[[], dict[str, str]]:
    """The environment of every process that these tests start."""
    return clean_environment


@pytest.fixture(scope="session")
def trace() -> re.Pattern[str]:
    """What looks like a stack trace."""
    return TRACE


@pytest.fixture(scope="session")
def run_demo(command: Command) -> Callable[[Path], Ran]:
    """The demo, run on a lake, with the versions of its tables afterwards."""

    def run(lake: Path) -> Ran:
        done = command("demo", "--dir", lake, "--json")
        assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-4000:]}"
        return Ran(lake, done, command.versions(lake))

    return run


@pytest.fixture(scope="session")
def demo(run_demo: Callable[[Path], Ran], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The first run of the demo on an empty folder."""
    return run_demo(tmp_path_factory.mktemp("demo") / "lake")
