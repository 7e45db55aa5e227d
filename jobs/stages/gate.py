"""Verdicts that pass every gate become samples; the others are rejects that name the first gate that failed."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from tasklake.jobs import current, fingerprints
from tasklake.jobs.stage import Run, row_hash

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

STAGE = "gate"


def inputs(run: Run) -> DataFrame:
    """The current verdicts with what gates look at."""
    from pyspark.sql import functions as F

    return current.verdicts(run).withColumns({"made_by": F.lit(fingerprints.gate(run)), "key": F.col("verdict_id")})


def outputs(run: Run) -> DataFrame:
    """The verdicts that became samples."""
    from pyspark.sql import functions as F

    return run.lake.read("samples").select(F.col("verdict_id").alias("key"), "made_by")


def work(run: Run, news: DataFrame) -> None:
    """Every verdict is a sample or a reject."""
    from pyspark.sql import functions as F

    judged = _whole(run, news).withColumn("_failed", failed_gate(run))
    good = judged.where("_failed IS NULL")
    run.lake.merge("samples", good.withColumn("sample_id", row_hash(F.col("verdict_id"), F.col("made_by"))))
    refused = judged.where("_failed IS NOT NULL").withColumns(
        {
            "reason": F.col("_failed.gate"),
            "detail": F.col("_failed.detail"),
            "excerpt": F.substring("program", 1, 300),
        }
    )
    run.reject(STAGE, refused)


def _whole(run: Run, news: DataFrame) -> DataFrame:
    """The verdicts with everything that gates look at."""
    from pyspark.sql import functions as F

    now = news.select("verdict_id", "key", "made_by", "source", "source_id")
    verdict = run.lake.read("verdicts").drop("made_by", "run_id", "made_at")
    candidate = run.lake.read("candidates").select("candidate_id", "program", "model")
    task = run.lake.read("tasks").select("task_id", "statement", "input_format", "output_format")
    rows = now.join(verdict, on="verdict_id").join(candidate, on="candidate_id").join(task, on="task_id")
    return rows.withColumn("subject", F.concat_ws(" ", "source_id", "language"))


def failed_gate(run: Run) -> Column:
    """The first gate that the row fails, with the sentence, or null; a gate that cannot tell fails."""
    from pyspark.sql import functions as F

    values = {name: str(value) for name, value in run.recipe.gate.model_dump().items()}
    failures = [
        F.when(
            ~F.coalesce(F.expr(Template(gate.holds).safe_substitute(values)), F.lit(False)),
            F.struct(
                F.lit(gate.name).alias("gate"),
                F.coalesce(F.expr(gate.reason), F.lit("a value is null")).alias("detail"),
            ),
        )
        for gate in run.gates
    ]
    return F.coalesce(*failures)
