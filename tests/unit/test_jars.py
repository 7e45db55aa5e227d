"""The lock of JARs is read strictly; a filled cache needs neither network nor Java; failures are one sentence."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from tasklake.jobs.jars import Jar, JarError, collect, jars_for, locked_jars, main, read_lock
from tasklake.sandbox_exec.errors import TasklakeError

BYTES = b"not really a jar"


def jar(name: str = "thing", content: bytes = BYTES) -> Jar:
    return Jar("org.example", name, "1.0", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("version", "artifact"), [("4.1.4", "delta-spark_4.1_2.13"), ("4.0.5", "delta-spark_4.0_2.13")]
)
def test_each_spark_line_gets_its_delta(version: str, artifact: str) -> None:
    """Spark 4.0 and 4.1 each get five JARs, the one compiled against Spark being their own."""
    jars = locked_jars(version, ["delta"])
    assert len(jars) == 5
    assert jars[0].name == artifact


def test_hadoop_aws_is_that_of_spark() -> None:
    """hadoop-aws has the version of the Hadoop that each Spark was built with."""
    found = {spark: locked_jars(spark, ["s3"])[0] for spark in ("4.0.5", "4.1.4")}
    assert {spark: (each.name, each.version) for spark, each in found.items()} == {
        "4.0.5": ("hadoop-aws", "3.4.1"),
        "4.1.4": ("hadoop-aws", "3.4.2"),
    }


def test_file_names_are_unique_within_a_session() -> None:
    """Two JARs of one session never share a file name in the cache."""
    for spark in ("4.0.5", "4.1.4"):
        names = [each.filename for each in locked_jars(spark, ["delta", "s3"])]
        assert len(names) == len(set(names))


def test_unknown_spark_and_purpose_are_refused_with_the_known_ones() -> None:
    """The message of a refusal names what could have been asked for."""
    with pytest.raises(JarError, match=r"Spark 4\.2\.0: use pyspark 4\.0 or 4\.1"):
        locked_jars("4.2.0", ["delta"])
    with pytest.raises(JarError, match=r"'s4'.*choose from delta, s3"):
        locked_jars("4.1.4", ["s4"])


@pytest.mark.parametrize(
    "line", ["a:b:1 " + "0" * 63, "a:b " + "0" * 64, "[4.1]", "[4.1.4 delta]", "a:b:1", "a:b:1 " + "0" * 64 + " x"]
)
def test_malformed_lock_line_is_refused_by_number(line: str) -> None:
    """A line that is no section, JAR or comment stops the reading, with its number."""
    with pytest.raises(JarError, match=r"jars\.lock:3: expected"):
        read_lock(f"# comment\n[4.1 delta]\n{line}\n")


def test_jar_before_any_section_is_refused() -> None:
    """A JAR that belongs to no Spark version is a mistake."""
    with pytest.raises(JarError, match=r"jars\.lock:1"):
        read_lock("a:b:1 " + "0" * 64)


def test_filled_cache_needs_neither_java_nor_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Air-gapped: with the files in place nothing is started, in a cache that cannot be written."""
    monkeypatch.setenv("PATH", "")
    (tmp_path / "thing-1.0.jar").write_bytes(BYTES)
    tmp_path.chmod(0o500)
    assert collect([jar()], tmp_path) == [tmp_path / "thing-1.0.jar"]
    assert [path.name for path in tmp_path.iterdir()] == ["thing-1.0.jar"]


def test_missing_java_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Java the message says what is missing, and both ways out."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(JarError) as caught:
        jars_for("4.1.4", ["delta"], tmp_path / "cache")
    message = str(caught.value)
    assert isinstance(caught.value, TasklakeError)
    assert "\n" not in message
    assert "delta-spark_4.1_2.13-4.4.0.jar" in message
    assert "no java" in message
    assert "TASKLAKE_JAR_MIRROR" in message
    assert str(tmp_path / "cache") in message


def test_damaged_file_is_told_and_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A cached file with other bytes than the lock's is never handed to Spark."""
    monkeypatch.setenv("PATH", "")
    (tmp_path / "thing-1.0.jar").write_bytes(BYTES[:-1])
    with caplog.at_level(logging.WARNING), pytest.raises(JarError):
        collect([jar()], tmp_path)
    assert "damaged or incomplete" in caplog.text


def test_command_ends_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`python -m tasklake.jobs.jars` answers 1 and a sentence where it cannot fetch."""
    pytest.importorskip("pyspark")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("TASKLAKE_JAR_CACHE", str(tmp_path))
    assert main(["delta"]) == 1
    assert "Cannot fetch" in caplog.text
