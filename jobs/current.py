"""What is current: the one place that knows how a superseded row leaves.

A problem belongs to (source, source_id) and is current while its source holds it. Everything made from it is current
while its own input is current and it was made by the rules in force: each function below yields the keys of its table
narrowed to rows whose parents are current and whose fingerprint is today's. Facts stay in the tables for time travel.

Each set is pinned when it is first asked for, which is after the stage that makes it: a chain of joins that is planned
anew by every reader took Spark minutes, its sets written down once take a second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from tasklake.jobs import corpus, fingerprints
from tasklake.jobs.stage import Run, row_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# What identifies a task and decides how its candidates are run.
TASK = ("task_id", "problem_id", "source", "source_id", "checker", "cases_digest")


def pinned(function: Callable[[Run], DataFrame]) -> Callable[[Run], DataFrame]:
    """The set as it was when this run first asked for it."""

    @wraps(function)
    def once(run: Run) -> DataFrame:
        return run.pin(function.__name__, lambda: function(run))

    return once


def problems(run: Run) -> DataFrame:
    """The problems that the recipe's sources hold now, with all columns."""
    from pyspark.sql import functions as F

    return run.lake.read("problems").where(F.col("current") & F.col("source").isin(run.sources))


@pinned
def tasks(run: Run) -> DataFrame:
    """The tasks made from current problems by the reformulator in force."""
    from pyspark.sql import functions as F

    made = run.lake.read("tasks").where(F.col("made_by") == fingerprints.reformulate(run)).select(*TASK)
    return made.join(problems(run).select("problem_id"), on="problem_id", how="left_semi")


@pinned
def groundings(run: Run) -> DataFrame:
    """Each current task with the fingerprint of grounding it."""
    from pyspark.sql import functions as F

    known = problems(run).select("problem_id", fingerprints.ground(run, F.col("solutions")).alias("made_by"))
    return tasks(run).join(known, on="problem_id")


@pinned
def grounded(run: Run) -> DataFrame:
    """The current tasks that an oracle confirms and that were not refused."""
    from pyspark.sql import functions as F

    on = ["task_id", "made_by"]
    agreed = run.lake.read("oracles").where("agreed").select(*on)
    refused = run.rejects("ground").select(F.col("key").alias("task_id"), "made_by")
    return groundings(run).join(agreed, on=on, how="left_semi").join(refused, on=on, how="left_anti").drop("made_by")


@pinned
def requests(run: Run) -> DataFrame:
    """What is asked for now: each grounded task in each language and sample that an answer is recorded for."""
    from pyspark.sql import functions as F

    asked = [(name, sample) for name in run.languages for sample in range(run.samples)]
    wanted = run.spark.createDataFrame(asked, "language string, sample int")
    task = grounded(run).select("task_id", "problem_id", "source", "source_id")
    on = ["source", "source_id", "language", "sample"]
    known = corpus.answers(run).select(*on, "answer", "model")
    joined = task.crossJoin(F.broadcast(wanted)).join(known, on=on)
    made = row_hash(F.lit(fingerprints.propose(run)), F.col("answer"), F.col("model"))
    keyed = joined.withColumns({"key": row_hash(*map(F.col, ("task_id", "language", "sample"))), "made_by": made})
    return keyed.drop("answer", "model")


@pinned
def candidates(run: Run) -> DataFrame:
    """The candidates that answer what is asked for now."""
    from pyspark.sql import functions as F

    asked = requests(run).select(F.col("key").alias("request_key"), "made_by", "source", "source_id")
    held = run.lake.read("candidates").select(
        "candidate_id", "request_key", "made_by", "task_id", "problem_id", "language"
    )
    return held.join(asked, on=["request_key", "made_by"]).drop("request_key", "made_by")


@pinned
def executions(run: Run) -> DataFrame:
    """Each current candidate with the execution that shows its verdict, and whether its language is offered."""
    from pyspark.sql import functions as F

    program = run.lake.read("candidates").select("candidate_id", "program")
    task = grounded(run).select("task_id", "checker", "cases_digest")
    made = F.broadcast(fingerprints.execution_frame(run).drop("toolchain", "isolation", "ground_made_by"))
    joined = candidates(run).join(program, on="candidate_id").join(task, on="task_id").join(made, on="language")
    parts = [F.col(c) for c in ("program", "language", "execution_made_by", "checker", "cases_digest")]
    return joined.withColumn("execution_id", row_hash(*parts, F.lit(0))).drop("program", "cases_digest")


@pinned
def verdicts(run: Run) -> DataFrame:
    """The verdicts of current candidates on their current execution by the judge in force."""
    from pyspark.sql import functions as F

    made = run.lake.read("verdicts").where(F.col("made_by") == fingerprints.judge(run))
    now = executions(run).select("candidate_id", "execution_id", "source", "source_id")
    return made.select("verdict_id", "candidate_id", "execution_id").join(now, on=["candidate_id", "execution_id"])


@pinned
def samples(run: Run) -> DataFrame:
    """The samples whose verdict is current, let through by the gates in force."""
    from pyspark.sql import functions as F

    made = run.lake.read("samples").where(F.col("made_by") == fingerprints.gate(run)).select("sample_id", "verdict_id")
    return made.join(verdicts(run).select("verdict_id"), on="verdict_id", how="left_semi")
