"""The session's Java speaks to people: what it prints by itself never mixes with an answer."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tasklake.jobs.config import UsageError, java_command, load_settings
from tasklake.jobs.lake import LakeUri
from tasklake.jobs.session import _startup, session, startup_file

STARTS = """
import subprocess, sys
from tasklake.jobs.session import _stdout_as_stderr
sys.stdout.write("[")
with _stdout_as_stderr():
    subprocess.run(["echo", "a line of the child"], check=True)
sys.stdout.write("]")
"""


def test_what_a_child_prints_goes_to_stderr() -> None:
    """A program reads one JSON value on stdout, whatever the JVM that was started for it says."""
    done = subprocess.run([sys.executable, "-c", STARTS], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]", "a line of the child\n")


@pytest.mark.parametrize("url", ["sc://host:99999999/;token=s3cr3t", "sc://host/path/;token=s3cr3t", "sc://[x"])
def test_a_url_that_is_none_is_used_wrongly(url: str, tmp_path, monkeypatch) -> None:
    """It is told in a sentence, without its token, and nothing is waited for."""
    pytest.importorskip("grpc")
    # pyspark notes there that this process speaks Connect, and would not start any other session after it.
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "")
    monkeypatch.delenv("SPARK_CONNECT_MODE_ENABLED")
    settings = load_settings(lake=str(tmp_path), session="connect", spark_remote=url)
    with (
        pytest.raises(UsageError, match="spark_remote is sc://") as refused,
        session(settings, LakeUri.parse(settings.lake)),
    ):
        pass
    assert "s3cr3t" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_jvm_passes_over_a_startup_file_that_is_none(tmp_path, monkeypatch) -> None:
    """One that is damaged, or was made by another JVM, costs time and no word; where there is none, none is named."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "a b"))
    assert _startup() == ""
    startup_file().parent.mkdir()
    startup_file().write_bytes(b"none")
    java = java_command()
    if java is None:
        pytest.skip("java is not installed")
    done = subprocess.run([java, *shlex.split(_startup()), "-version"], capture_output=True, text=True, check=True)
    plain = subprocess.run([java, "-Xshare:off", "-version"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (plain.stdout, plain.stderr)
