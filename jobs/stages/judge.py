"""Each candidate gets one word, judged from the stored measures of its execution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tasklake.jobs import current, fingerprints
from tasklake.jobs.stage import Run, row_hash
from tasklake.sandbox_exec.verdict import Verdict, overall
from tasklake.udfs.spool import Measure, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAGE = "judge"
WORD = "verdict_id string, verdict string"


def inputs(run: Run) -> DataFrame:
    """The current candidates whose execution is stored."""
    from pyspark.sql import functions as F

    stored = run.lake.read("case_verdicts").where("ordinal = -1").select("execution_id")
    rows = current.executions(run).join(stored, on="execution_id", how="left_semi")
    made = F.lit(fingerprints.judge(run))
    subject = F.concat_ws(" ", "source_id", "language")
    keyed = rows.withColumns({"made_by": made, "subject": subject})
    return keyed.withColumn("key", row_hash(F.col("candidate_id"), F.col("execution_id"), F.col("made_by")))


def outputs(run: Run) -> DataFrame:
    """The candidates that have a verdict."""
    from pyspark.sql import functions as F

    return run.lake.read("verdicts").select(F.col("verdict_id").alias("key"), "made_by")


def work(run: Run, news: DataFrame) -> None:
    """Every candidate has its verdict."""
    from pyspark.sql import functions as F

    steps = F.array_sort(F.collect_list(F.struct("ordinal", "verdict")))
    is_case = F.col("ordinal") >= 0
    shown = (
        run.lake.read("case_verdicts")
        .groupBy("execution_id")
        .agg(
            steps.alias("steps"),
            F.count_if(is_case).cast("int").alias("n_cases"),
            F.count_if(is_case & (F.col("verdict") == "accepted")).cast("int").alias("n_accepted"),
            F.max(F.when(is_case, F.col("cpu_s"))).alias("max_cpu_s"),
            F.max(F.when(is_case, F.col("peak_memory_bytes"))).alias("max_memory_bytes"),
        )
    )
    rows = news.withColumn("verdict_id", F.col("key")).join(shown, on="execution_id")
    words = run.measure(STAGE, rows.select("verdict_id", "steps"), judging, WORD)
    run.lake.merge("verdicts", rows.join(words, on="verdict_id"))


@contextmanager
def judging() -> Iterator[Measure]:
    """The precedence of verdicts, as a measure."""

    def judge(row: Mapping[str, Any]) -> Iterator[Row]:
        build, *cases = [Verdict(step["verdict"]) for step in row["steps"]]
        yield {"verdict_id": row["verdict_id"], "verdict": str(overall(build, cases))}

    yield judge
