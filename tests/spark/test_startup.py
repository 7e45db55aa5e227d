"""What Spark starts from is used where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasklake.jobs.session import startup_file

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_the_session_starts_from_the_file_of_make_setup(spark: SparkSession) -> None:
    """A JVM that the file does not fit goes without it, and without a word: only here it would be noticed."""
    if not startup_file().exists():
        pytest.skip("there is no such file here; make setup or `python -m tasklake.jobs.startup` makes it")
    jvm = spark._jvm  # type: ignore[attr-defined]
    assert "sharing" in jvm.System.getProperty("java.vm.info")
