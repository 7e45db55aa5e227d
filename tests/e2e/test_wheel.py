"""The built wheel, in an environment of its own, in a folder that holds another `jobs`, runs the demo."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tasklake.jobs.session import startup_file

# Whole runs, several of them behind one fixture: the usual bound is for a single test.
pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.sandbox, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = "tests/sandbox/adversarial/attacks"
SHIPPED = ("jobs", "quality", "sandbox_exec", "udfs", ATTACKS, "pyproject.toml", "LICENSE", "README.md")


def must(argv: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    """The output of a command that has to succeed."""
    done = subprocess.run(argv, cwd=folder, env=dict(variables), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(environment: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: an earlier build folder would slip deleted modules into it."""
    copy = tmp_path_factory.mktemp("source")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    code = "import setuptools.build_meta as b; b.build_wheel('dist')"
    must([sys.executable, "-c", code], copy, environment())
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def venv(wheel: Path, environment: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; what it depends on is lent from this one, without a download."""
    folder = tmp_path_factory.mktemp("venv")
    must([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder, environment())
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    must([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], folder, environment())
    # A path line lends the libraries alone: .pth files in there, such as that of an editable install, are not read.
    own = next((folder / "lib").glob("python*/site-packages"))
    (own / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    # Of the lent Spark, so that runs start as fast as others.
    if startup_file().exists():
        (folder / startup_file().name).symlink_to(startup_file())
    return folder


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is empty but for packages which are named like ours and break whoever imports them."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("jobs", "udfs"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise RuntimeError('the wrong package was imported')\n", "utf-8")
    return folder


def test_modules_come_from_the_wheel(venv: Path, elsewhere: Path, environment: Callable[[], dict[str, str]]) -> None:
    """Neither the checkout nor the folder is imported."""
    code = "import tasklake.jobs.cli as c, tasklake.udfs.rows as r; print(c.__file__); print(r.__file__)"
    places = must([str(venv / "bin" / "python"), "-c", code], elsewhere, environment()).split()
    assert [place for place in places if place.startswith(str(venv))] == places


def test_wheel_runs_the_demo_beside_a_folder_named_jobs(
    venv: Path, elsewhere: Path, environment: Callable[[], dict[str, str]]
) -> None:
    """The whole demo, from corpus to release, with a relative folder for its lake."""
    argv = [str(venv / "bin" / "tasklake"), "demo", "--dir", "lake", "--json"]
    report = json.loads(must(argv, elsewhere, environment()))
    stages = {stage["stage"]: stage for stage in report["stages"]}
    assert report["status"] == "done"
    assert stages["release"]["kept"] == 1
    assert stages["execute"]["executed"] > 0
    assert (elsewhere / report["report"]).is_file()
    assert {path.name for path in elsewhere.iterdir()} == {"jobs", "udfs", "lake"}
