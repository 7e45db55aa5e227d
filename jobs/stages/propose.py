"""Each answer, recorded or of a model, becomes a candidate, or a reject that says why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tasklake.jobs import corpus, current
from tasklake.jobs.llm import answering, solving
from tasklake.jobs.stage import Run, row_hash
from tasklake.sandbox_exec.extract import extract_program
from tasklake.udfs.spool import Measure, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAGE = "propose"
FOUND = "request_key string, program string, extraction string"
CARRIED = ("key", "made_by", "task_id", "problem_id", "language", "sample", "model", "answer", "source", "subject")
ERROR = ("error_reason", "error")
TAGS = "language string, fence_tags array<string>"
REQUEST = ["source", "source_id", "language", "sample"]
REJECT = ("key", "made_by", "source", "subject", "reason", "detail", "location", "excerpt")


def inputs(run: Run) -> DataFrame:
    """Each answer that a grounded task asks for, and each recorded one that nothing can ask for."""
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

    answered = _asked(run, news) if run.recipe.propose.provider == "llm" else _recorded(run, news)
    made = _extracted(run, answered)
    good = made.where("program IS NOT NULL").withColumns(
        {"request_key": F.col("key"), "candidate_id": row_hash(F.col("key"), F.col("made_by"))}
    )
    run.lake.merge("candidates", good)
    empty = made.where("program IS NULL").withColumns(
        {
            "reason": F.coalesce(F.col("error_reason"), F.lit("no_program")),
            "detail": F.coalesce(
                F.concat(F.lit("the model gave no program: "), F.col("error")),
                F.concat(F.lit("the answer holds no whole program: "), F.col("extraction")),
            ),
            "excerpt": F.coalesce(F.substring("answer", 1, current.EXCERPT), F.lit("")),
            "location": F.lit(""),
        }
    )
    idle = news.where("unasked IS NOT NULL").withColumns(
        {"reason": F.lit("answer_without_request"), "detail": F.col("unasked")}
    )
    run.reject(STAGE, empty.select(*REJECT).unionByName(idle.select(*REJECT)))


def _recorded(run: Run, news: DataFrame) -> DataFrame:
    """Each request with the answer that is recorded for it."""
    from pyspark.sql import functions as F

    known = corpus.answers(run).select(*REQUEST, "answer", "model")
    found = news.where("unasked IS NULL").join(known, on=REQUEST)
    return found.withColumns({name: F.lit(None).cast("string") for name in ERROR})


def _asked(run: Run, news: DataFrame) -> DataFrame:
    """Each request with the answer of the model, or the error in its place."""
    from pyspark.sql import functions as F

    answers = answering.ask(run, STAGE, solving.asked(run, news))
    # What the model said is a fact; that nothing came back is a failure, which the next run tries again.
    kind = F.when(F.col("content").isNull(), F.lit("no_answer_")).otherwise(F.lit("answer_"))
    reason = F.concat(kind, "error_class").alias("error_reason")
    named = answers.select(F.col("ask").alias("key"), F.col("value").alias("answer"), "model", reason, "error")
    return news.join(named, on="key")


def _extracted(run: Run, news: DataFrame) -> DataFrame:
    """Each request with its answer and the program that was found in it, if any."""
    from pyspark.sql import functions as F

    tags = run.spark.createDataFrame([(name, list(run.packs[name].fence_tags)) for name in run.languages], TAGS)
    news = news.join(F.broadcast(tags), on="language")
    asked = news.where("answer IS NOT NULL").select(F.col("key").alias("request_key"), "answer", "fence_tags")
    found = run.measure(STAGE, asked, extracting, FOUND).withColumnRenamed("request_key", "key")
    return news.select(*CARRIED, *ERROR).join(found, on="key", how="left")


@contextmanager
def extracting() -> Iterator[Measure]:
    """The extraction of the program from an answer, as a measure."""

    def extract(row: Mapping[str, Any]) -> Iterator[Row]:
        found = extract_program(row["answer"], tuple(row["fence_tags"]))
        program = found.program if found.program and found.program.strip() else None
        yield {"request_key": row["request_key"], "program": program, "extraction": found.rule}

    yield extract
