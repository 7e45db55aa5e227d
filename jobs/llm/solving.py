"""What `propose` asks a model: a program for each grounded task, in each language that can be run here, in samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasklake.jobs import fingerprints
from tasklake.jobs.stage import Run
from tasklake.sandbox_exec.languages import Language
from tasklake.udfs.identity import content_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TEMPLATE = "solve"
LANGUAGE = "language string, notes string, language_made_by string"
# An example shows the form; a long one would show it no better and be paid for with every sample.
MOST_SHOWN = 1500


def notes(pack: Language) -> str:
    """What a model is told about a language, which is ours to tell."""
    return f"The language is {pack.names[0] if pack.names else pack.id}.\n\n{pack.prompt.strip()}".strip()


def languages(run: Run) -> DataFrame:
    """The languages to ask for, with their notes: a program that cannot be run here is not paid for."""
    offered = {row["language"] for row in fingerprints.execution_frame(run).where("missing = ''").collect()}
    rule = fingerprints.asking(run, TEMPLATE)
    rows = [(name, notes(run.packs[name])) for name in run.languages if name in offered]
    return run.spark.createDataFrame([(*row, content_hash(rule, *row)[:16]) for row in rows], LANGUAGE)


def asked(run: Run, news: DataFrame) -> DataFrame:
    """The completions for requests of `propose`: rows of ASKED, by their key."""
    from pyspark.sql import functions as F

    texts = ("statement", "input_format", "output_format")
    task = run.lake.read("tasks").select("task_id", *(F.coalesce(name, F.lit("")).alias(name) for name in texts))
    shown = F.concat(F.lit("Input:\n"), F.col("input"), F.lit("\nOutput:\n"), F.col("output"))
    shortest = F.min(F.struct(F.length(shown).alias("size"), "ordinal", shown.alias("text"))).alias("case")
    cases = run.lake.read("cases").groupBy("task_id").agg(shortest)
    example = F.substring(F.coalesce("case.text", F.lit("")), 1, MOST_SHOWN).alias("example")
    known = news.select("key", "task_id", "language", "sample").join(task, on="task_id")
    full = known.join(cases, on="task_id", how="left").join(F.broadcast(languages(run)), on="language")
    pairs = [("language", "notes"), *((name, name) for name in texts), ("sample", "example")]
    held = F.create_map(*(part for name, column in pairs for part in (F.lit(name), F.col(column))))
    columns = [F.col("key").alias("ask"), F.lit(TEMPLATE).alias("template"), held.alias("variables"), F.col("sample")]
    return full.withColumn("example", example).select(*columns)
