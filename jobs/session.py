"""The Spark session: an existing one, a local one or Spark Connect, each setting with its reason.

The only module that may touch what only classic Spark has. On a platform that brings Delta nothing is added; locally
the JARs of `jars.lock` are.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import logging
import os
import re
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasklake.jobs.config import Settings, UsageError, java_command, redacted, run_workers_on
from tasklake.jobs.jars import jars_for
from tasklake.jobs.lake.uri import LakeUri
from tasklake.sandbox_exec.errors import TasklakeError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What every session needs, whoever made it: results must not depend on the platform's defaults.
PINNED = {
    "spark.sql.ansi.enabled": "true",  # the default of Spark 4; a platform may switch it off and casts would yield null
    "spark.sql.session.timeZone": "UTC",  # timestamps mean the same on every machine
    "spark.sql.execution.arrow.pyspark.enabled": "true",  # frames to and from Python without pickling rows
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",  # a worker holds few large sources at once, spools often
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # the default is still INT96, which others cannot read
    # VACUUM … RETAIN is otherwise ignored, and would take files that the newest releases were made from.
    "spark.databricks.delta.vacuum.retentionWindowIgnore.enabled": "false",
    # What a release was made from is readable as long as its files are there, however old it is.
    "spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration": "false",
    "spark.databricks.delta.snapshotPartitions": "2",  # a small log in 50 tasks costs seconds per statement
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",  # VACUUM lists in 10,000 tasks by default: 31 s
}

DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",  # MERGE INTO, constraints, OPTIMIZE
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",  # delta.`path` as a table
}

# A session of our own on one machine.
LOCAL = {
    "spark.ui.enabled": "false",  # no port, no thread: nobody looks at it during a demo
    "spark.ui.showConsoleProgress": "false",  # our own progress lines; the bar would garble them
    "spark.driver.bindAddress": "127.0.0.1",  # servers listen on loopback only
    "spark.driver.host": "127.0.0.1",  # else the host name is resolved, which fails on machines without DNS
    # A laptop's tables have few files: asking which of them to read takes longer than reading them, 0.15 of a run.
    "spark.databricks.delta.stats.skipping": "false",
    "spark.sql.shuffle.partitions": "2",  # the default of 200 makes 200 tasks of a few rows each
    # On tables of a laptop's size, compiling a query takes longer than interpreting it: merges take 0.6 of the time.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.speculation": "false",  # a speculative copy would run programs twice
    # Spark makes this folder with its first table name, else as spark-warehouse wherever the command was typed; tables
    # of ours lie in the lake.
    "spark.sql.warehouse.dir": tempfile.gettempdir(),
}

# Where a JVM looks for classes before its Spark.
CLASS_PATH = "spark.driver.extraClassPath"


class SessionError(TasklakeError):
    """No Spark session could be made."""


@contextlib.contextmanager
def session(settings: Settings, lake: LakeUri) -> Iterator[SparkSession]:
    """A session ready for the lake; stopped afterwards only when it was made here."""
    existing = None if settings.session in ("local", "connect") else _active()
    if existing is not None or settings.session == "existing":
        if existing is None:
            raise SessionError("session is `existing` but this process has no active Spark session")
        yield pinned(existing)
        return
    spark = _made(settings, lake)
    try:
        yield pinned(spark)
    finally:
        spark.stop()


def pinned(spark: SparkSession) -> SparkSession:
    """The session with the settings that results depend on."""
    # Spark's Python side logs each refused query with its stack trace; the caller tells it in a sentence.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    for name, value in PINNED.items():
        held = spark.conf.get(name, None)
        if held != value and (held is None or not name.startswith("spark.databricks")):
            with contextlib.suppress(_static_setting_error()):
                spark.conf.set(name, value)
    return spark


def driver_processes(spark: SparkSession) -> list[int]:
    """Process ids, beside this one, that can still commit after this one died."""
    context = getattr(spark, "_sc", None)
    process = getattr(getattr(context, "_gateway", None), "proc", None)
    return [process.pid] if process is not None else []


def _active() -> SparkSession | None:
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


def _made(settings: Settings, lake: LakeUri) -> SparkSession:
    from pyspark.sql import SparkSession

    remote = settings.spark_remote if settings.session in ("auto", "connect") else None
    run_workers_on(sys.executable)
    builder = SparkSession.builder.appName("tasklake")
    if remote and not remote.startswith("local"):
        return _connected(builder, remote)
    jars = _jars(settings, lake)
    started = _startup() if CLASS_PATH in jars else ""
    configuration = {**PINNED, **DELTA, **LOCAL, **_own(settings, started), **jars, **_s3(settings, lake)}
    builder = builder.remote(remote) if remote else builder.master(settings.spark_master)
    for name, value in configuration.items():
        builder = builder.config(name, value)
    return _started(builder)


def _connected(builder: Any, remote: str) -> SparkSession:
    """The session behind the URL; one that is none is used wrongly."""
    try:
        spark: SparkSession = builder.remote(remote).getOrCreate()
    except ValueError as error:
        said = redacted(str(error).splitlines()[0])
        raise UsageError(f"spark_remote is {redacted(remote)}: {said}; write sc://HOST:PORT") from None
    return spark


def _started(builder: Any) -> SparkSession:
    """The session of the builder; a JVM that cannot start is one sentence."""
    from pyspark.errors import PySparkRuntimeError

    if java_command() is None:
        raise SessionError(
            "Spark needs Java, and neither JAVA_HOME nor the PATH leads to one; install Java 17 "
            "(apt-get install openjdk-17-jre-headless) or set JAVA_HOME to where it is"
        )
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings(), _stdout_as_stderr():
            # A local Connect server got every setting at its start; its client tries to set the fixed ones again.
            warnings.filterwarnings("ignore", message="Failed to set")
            spark: SparkSession = builder.getOrCreate()
        if threading.current_thread() is threading.main_thread():
            # pyspark puts a handler of its own in its place, which talks to the JVM in the middle of a call.
            signal.signal(signal.SIGINT, interrupted)
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise SessionError(
            f"Spark's Java ({java_command()}) ended before it was ready; Spark needs Java 17 or 21 and the memory "
            "of TASKLAKE_DRIVER_MEMORY, see `tasklake doctor`"
        ) from error
    return spark


@contextlib.contextmanager
def _stdout_as_stderr() -> Iterator[None]:
    """What is started meanwhile writes to our stderr: the JVM prints lines of its own, and stdout is for the answer."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:
        # Whoever embeds us has closed one of the two: nothing can get lost there.
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _own(settings: Settings, started: str) -> Mapping[str, str]:
    return {
        "spark.driver.memory": settings.driver_memory,
        # The serial collector and the first compiler start fastest on few cores, but the room that this leaves for
        # compiled code is swept without end; Spark's warnings are not the user's.
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m "
        f"-Dlog4j2.configurationFile={_logging()}{started}",
    }


def startup_file() -> Path:
    """Where `tasklake.jobs.startup` keeps what JVMs start from: beside the pyspark whose classes it holds."""
    return Path(sys.prefix) / "tasklake.jsa"


def _startup() -> str:
    """How a JVM with Delta's JARs in its class path finds it; one that it does not fit passes it over in silence."""
    path = startup_file()
    return f' "-XX:SharedArchiveFile={path}" -Xlog:cds*=off' if path.exists() else ""


def _logging() -> str:
    """The file that keeps Spark quiet; a default beside it would announce itself on every start."""
    return Path(str(importlib.resources.files("tasklake.jobs").joinpath("log4j2.properties"))).resolve().as_uri()


def _jars(settings: Settings, lake: LakeUri) -> Mapping[str, str]:
    """Delta's JARs, and S3's where the lake needs them; none where this Spark carries them already."""
    import pyspark

    home = Path(pyspark.__file__).parent / "jars"
    wanted = ["delta"] if not any(home.glob("delta-spark*.jar")) else []
    wanted += ["s3"] if not lake.is_local and not any(home.glob("hadoop-aws*.jar")) else []
    if not wanted:
        return {}
    found = [str(path) for path in jars_for(pyspark.__version__, wanted, settings.jar_cache, settings.jar_mirror)]
    # In one JVM the class path will do; executors elsewhere must be given them, and S3's stay behind Spark's own.
    if wanted == ["delta"] and re.fullmatch(r"local(\[.*\])?", settings.spark_master):
        return {CLASS_PATH: ":".join(found)}
    return {"spark.jars": ",".join(found)}


def _s3(settings: Settings, lake: LakeUri) -> Mapping[str, str]:
    """How s3a finds the store; credentials come from the environment of driver and executors, never from here."""
    if lake.is_local:
        return {}
    provider = "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
    found = {"spark.hadoop.fs.s3a.aws.credentials.provider": provider}
    if settings.s3_endpoint:
        plain = settings.s3_endpoint.startswith("http://")
        found |= {
            "spark.hadoop.fs.s3a.endpoint": settings.s3_endpoint,
            "spark.hadoop.fs.s3a.path.style.access": "true",  # a private store has no DNS name per bucket
            "spark.hadoop.fs.s3a.connection.ssl.enabled": str(not plain).lower(),
        }
    if settings.s3_region:
        found["spark.hadoop.fs.s3a.endpoint.region"] = settings.s3_region
    return found


def _static_setting_error() -> type[Any]:
    from pyspark.errors import PySparkException

    return PySparkException
