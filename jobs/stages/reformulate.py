"""Problems become language-agnostic stdin/stdout tasks with cases, or rejects with the obstacle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tasklake.jobs import current, fingerprints
from tasklake.jobs.stage import Run, row_hash
from tasklake.udfs.reformulate import reformulate
from tasklake.udfs.spool import Measure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAGE = "reformulate"
ANSWER = (
    "problem_id string, statement string, input_format string, output_format string, grammar string, "
    "entry_point string, checker string, cases array<struct<input:string,output:string>>, reason string, detail string"
)


def inputs(run: Run) -> DataFrame:
    """The current problems."""
    from pyspark.sql import functions as F

    made = F.lit(fingerprints.reformulate(run))
    return current.problems(run).withColumns(
        {"key": F.col("problem_id"), "made_by": made, "subject": F.col("source_id")}
    )


def outputs(run: Run) -> DataFrame:
    """The problems that have a task."""
    from pyspark.sql import functions as F

    return run.lake.read("tasks").select(F.col("problem_id").alias("key"), "made_by")


def work(run: Run, news: DataFrame) -> None:
    """Every problem is a task with its cases, or a reject."""
    from pyspark.sql import functions as F

    shown = F.substring("statement", 1, 300).alias("excerpt")
    known = news.select("problem_id", "source", "source_id", "subject", "made_by", "key", shown)
    made = run.measure(STAGE, news, reformulating, ANSWER).join(known, on="problem_id")
    good = made.where("reason IS NULL").withColumns(
        {
            "task_id": row_hash(F.col("problem_id"), F.col("made_by")),
            "n_cases": F.size("cases"),
            "cases_digest": F.sha2(F.to_json("cases"), 256),
        }
    )
    run.reject(STAGE, made.where("reason IS NOT NULL"))
    each = good.select("task_id", "made_by", F.posexplode("cases").alias("ordinal", "case"))
    run.lake.merge("cases", each.select("task_id", "made_by", "ordinal", "case.input", "case.output"))
    run.lake.merge("tasks", good)


@contextmanager
def reformulating() -> Iterator[Measure]:
    """The rules, as a measure."""
    yield lambda problem: iter([reformulate(problem)])
