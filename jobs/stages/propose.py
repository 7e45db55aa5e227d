"""Each recorded answer becomes a candidate, or a reject that says why not, also where nothing asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tasklake.jobs import corpus, current
from tasklake.jobs.stage import Run, row_hash
from tasklake.sandbox_exec.extract import extract_program
from tasklake.udfs.spool import Measure, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAGE = "propose"
FOUND = "request_key string, program string, extraction string"
CARRIED = ("key", "made_by", "task_id", "problem_id", "language", "sample", "model", "answer", "source", "subject")
TAGS = "language string, fence_tags array<string>"
REQUEST = ["source", "source_id", "language", "sample"]
REJECT = ("key", "made_by", "source", "subject", "reason", "detail", "location", "excerpt")


def inputs(run: Run) -> DataFrame:
    """Each recorded answer that a grounded task asks for, and each that nothing can ask for."""
    from pyspark.sql import functions as F

    subject = F.concat_ws(" ", "source_id", "language", F.concat(F.lit("#"), "sample"))
    both = current.requests(run).unionByName(current.unasked(run), allowMissingColumns=True)
    return both.withColumn("subject", subject)


def outputs(run: Run) -> DataFrame:
    """The requests that have a candidate."""
    from pyspark.sql import functions as F

    return run.lake.read("candidates").select(F.col("request_key").alias("key"), "made_by")


def work(run: Run, news: DataFrame) -> None:
    """Every answer has a candidate, or is a reject."""
    from pyspark.sql import functions as F

    made = _extracted(run, news.where("unasked IS NULL"))
    good = made.where("program IS NOT NULL").withColumns(
        {"request_key": F.col("key"), "candidate_id": row_hash(F.col("key"), F.col("made_by"))}
    )
    run.lake.merge("candidates", good)
    empty = made.where("program IS NULL").withColumns(
        {
            "reason": F.lit("no_program"),
            "detail": F.concat(F.lit("the answer holds no whole program: "), F.col("extraction")),
            "excerpt": F.substring("answer", 1, current.EXCERPT),
            "location": F.lit(""),
        }
    )
    idle = news.where("unasked IS NOT NULL").withColumns(
        {"reason": F.lit("answer_without_request"), "detail": F.col("unasked")}
    )
    run.reject(STAGE, empty.select(*REJECT).unionByName(idle.select(*REJECT)))


def _extracted(run: Run, news: DataFrame) -> DataFrame:
    """Each request with its answer and the program that was found in it, if any."""
    from pyspark.sql import functions as F

    tags = run.spark.createDataFrame([(name, list(run.packs[name].fence_tags)) for name in run.languages], TAGS)
    known = corpus.answers(run).select(*REQUEST, "answer", "model")
    news = news.join(known, on=REQUEST).join(F.broadcast(tags), on="language")
    asked = news.select(F.col("key").alias("request_key"), "answer", "fence_tags")
    found = run.measure(STAGE, asked, extracting, FOUND).withColumnRenamed("request_key", "key")
    return news.select(*CARRIED).join(found, on="key", how="left")


@contextmanager
def extracting() -> Iterator[Measure]:
    """The extraction of the program from an answer, as a measure."""

    def extract(row: Mapping[str, Any]) -> Iterator[Row]:
        found = extract_program(row["answer"], tuple(row["fence_tags"]))
        program = found.program if found.program and found.program.strip() else None
        yield {"request_key": row["request_key"], "program": program, "extraction": found.rule}

    yield extract
