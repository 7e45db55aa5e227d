"""Rows of the recipe's sources become problems, or rejects with their line."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tasklake.jobs import corpus
from tasklake.jobs.stage import Run
from tasklake.udfs.rows import UNREADABLE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAGE = "ingest"
GOOD = "reason IS NULL AND kind = 'problem'"


def inputs(run: Run) -> DataFrame:
    """Every raw row of every source, read once per run."""
    if STAGE not in run.memo:
        run.memo[STAGE] = corpus.read(run)
    return cast("DataFrame", run.memo[STAGE])


def outputs(run: Run) -> DataFrame:
    """The raw rows behind current problems."""
    from pyspark.sql import functions as F

    return _held(run).select(F.explode("row_keys").alias("key"), "made_by")


def work(run: Run, news: DataFrame) -> None:
    """Every row is in a problem or among the rejects."""
    from pyspark.sql import functions as F

    run.reject(STAGE, news.where("reason IS NOT NULL"))
    fields = ["problem_id", "source", "source_id", "problem.*", "row_keys", "location", "revision", "made_by"]
    run.lake.merge("problems", inputs(run).where(GOOD).select(*fields).withColumn("current", F.lit(True)))


def settle(run: Run) -> None:
    """Problems whose source no longer holds them are not current any more; edited ones never stay beside their edit."""
    from pyspark.sql import functions as F

    good = inputs(run).where(GOOD)
    gone = _held(run).join(good.select("problem_id"), on="problem_id", how="left_anti")
    hidden = _hidden(run)
    if hidden:
        # What was not seen may stand in the file that could not be read.
        edited = good.select("source", "source_id", F.lit(True).alias("_edited"))
        gone = gone.join(edited, on=["source", "source_id"], how="left")
        gone = gone.where(F.col("_edited") | ~F.col("source").isin(hidden)).drop("_edited")
    run.lake.merge("problems", gone.withColumn("current", F.lit(False)))


def _hidden(run: Run) -> list[str]:
    """The sources of which a file could not be read, which they allow."""
    if not any(source.allow_unreadable for source in run.recipe.all_sources):
        return []
    unread = inputs(run).where(f"reason = '{UNREADABLE}'").select("source").distinct()
    return [str(row["source"]) for row in unread.collect()]


def _held(run: Run) -> DataFrame:
    from pyspark.sql import functions as F

    return run.lake.read("problems").where(F.col("current") & F.col("source").isin(run.sources))
