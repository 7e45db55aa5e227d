"""Spark's classes as a JVM holds them once it has started, kept in a file: later JVMs take them from there.

Made by `make setup`, and elsewhere by `python -m tasklake.jobs.startup`. A command that reads one table takes 0.65 of
its time with it; a JVM that it does not fit goes without.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile

from tasklake.jobs.config import load_settings
from tasklake.jobs.lake import Lake, LakeUri
from tasklake.jobs.session import session, startup_file

LOG = logging.getLogger(__name__)
# Several times what a busy machine takes.
MOST_S = 600


def train() -> None:
    """A session of the kind that commands make has made the tables of a lake and read one: what most of them do."""
    with tempfile.TemporaryDirectory() as folder:
        uri = LakeUri.parse(f"{folder}/lake")
        with session(load_settings(lake=str(uri), session="local"), uri) as spark:
            lake = Lake(spark, uri)
            lake.ensure()
            lake.read("verdicts").groupBy("verdict").count().collect()


def main() -> int:
    """The file is there, made anew: 0, or 1 after a sentence why not; nothing but time depends on it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    path = startup_file()
    made = path.with_suffix(f".{os.getpid()}")
    told = f"SPARK_SUBMIT_OPTS=-XX:ArchiveClassesAtExit={made}"
    command = ["env", told, sys.executable, "-c", f"from {__spec__.name} import train; train()"]
    try:
        path.unlink(missing_ok=True)
        # It writes when it ends, which is later than the Python that started it: when nobody holds its outputs.
        subprocess.run(command, capture_output=True, text=True, timeout=MOST_S, check=True)
        made.replace(path)
    except (OSError, subprocess.SubprocessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else ""
        line = (said.strip() or str(error)).splitlines()[-1]
        LOG.error("Spark starts as slowly as before, for there is no %s: %s", path, line)
        return 1
    finally:
        made.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
