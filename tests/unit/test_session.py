"""The session's Java speaks to people: what it prints by itself never mixes with an answer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tasklake.jobs.config import UsageError, load_settings
from tasklake.jobs.lake import LakeUri
from tasklake.jobs.session import session

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
