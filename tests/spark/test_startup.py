"""What Spark starts from is used where it lies."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from tasklake.jobs.config import java_command
from tasklake.jobs.session import startup_file

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

MAIN = "org.apache.spark.deploy.SparkSubmit"


def test_a_session_takes_its_classes_from_the_file_of_make_setup(spark: SparkSession) -> None:
    """A JVM that the file does not fit goes without it, and without a word: only here it would be noticed."""
    if not startup_file().exists():
        pytest.skip("there is no such file here; make setup or `python -m tasklake.jobs.startup` makes it")
    # As the session's own JVM was started, but that it tells where each class comes from.
    options = shlex.split(spark.conf.get("spark.driver.extraJavaOptions") or "")
    classes = spark._jvm.System.getProperty("java.class.path")  # type: ignore[attr-defined]
    command = [str(java_command()), *options, "-Xlog:class+load", "-cp", classes, MAIN, "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"{re.escape(MAIN)} source: shared objects file \(top\)", told), told[-2000:]
