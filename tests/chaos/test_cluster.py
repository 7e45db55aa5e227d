"""Executors that are not the driver, the package as a built artefact, the lake on S3, and one executor killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(5400)]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))


def bare_python(folder: Path) -> Path:
    """An interpreter with this environment's libraries but without the checkout: its path file runs no import hook."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = next((folder / "lib").glob("python3*/site-packages"))
    (site / "libraries.pth").write_text(PACKAGES + "\n")
    return folder / "bin" / "python"


@pytest.fixture
def artefact(tmp_path: Path) -> tuple[Path, Path]:
    """The built wheel, unpacked for the driver and as a zip for the executors."""
    out = tmp_path / "dist"
    build = [sys.executable, "-m", "uv", "build", "--wheel", "--no-build-isolation", "--out-dir", str(out), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(out.glob("*.whl"))
    unpacked, shipped = tmp_path / "unpacked", tmp_path / "tasklake.zip"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(unpacked)], check=True)
    # A namespace package in a zip needs its folder as an entry of its own; `zipfile -c` of folders writes it.
    subprocess.run([sys.executable, "-m", "zipfile", "-c", str(shipped), str(unpacked / "tasklake")], check=True)
    return unpacked, shipped


def executor_ids() -> list[int]:
    """The executors that this machine runs now."""
    found = subprocess.run(["pgrep", "-f", "CoarseGrainedExecutorBackend"], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def test_a_cluster_with_a_killed_executor_leaves_the_content_of_a_local_run(
    tasklake, content_of, store, artefact, tmp_path
):
    """The demo recipe on local-cluster[2,1,1024] over s3a, one executor killed while oracles run: same content."""
    local = str(tmp_path / "local")
    done = tasklake("run", "demo", "--dir", local, "--json")
    assert done.returncode == 0, done.stderr
    unpacked, shipped = artefact
    python = bare_python(tmp_path / "python")
    settings = tmp_path / "conf"
    settings.mkdir()
    (settings / "spark-defaults.conf").write_text(f"spark.submit.pyFiles {shipped}\nspark.executor.memory 1g\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(unpacked),
        "PYSPARK_PYTHON": str(python),
        "SPARK_CONF_DIR": str(settings),
        "TASKLAKE_SPARK_MASTER": "local-cluster[2,1,1024]",
    }
    words = [str(python), "-m", "tasklake.jobs", "run", "demo", "--dir", store, "--json"]
    process = subprocess.Popen(
        words, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stdout is not None
    told, killed = [], False
    for line in process.stderr:
        told.append(line)
        if not killed and re.search(r"ground: \d+ done", line):
            os.kill(executor_ids()[0], signal.SIGKILL)
            killed = True
    result = process.stdout.read()
    assert process.wait() == 0, "".join(told)
    assert killed, "no executor was killed: the run never told of a running stage"
    assert json.loads(result)["status"] == "done"
    assert content_of(store) == content_of(local)
