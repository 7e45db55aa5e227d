"""The session's Java speaks to people: what it prints by itself never mixes with an answer."""

from __future__ import annotations

import subprocess
import sys

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
