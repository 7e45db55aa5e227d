"""Join: stored answers parsed, wrong forms asked once more, one row back for every completion that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tasklake.jobs.llm import requests
from tasklake.jobs.llm.calling import execute
from tasklake.jobs.stage import Run
from tasklake.udfs.llm.errors import ErrorClass
from tasklake.udfs.llm.parse import content_of, parsed
from tasklake.udfs.spool import Measure, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# One row for each `ask` of the frame that was given: a value, or the class and message of an error.
ANSWER = (
    f"{requests.TURN}, value string, error_class string, error string, attempts int, answered_by string, content string"
)
Send = Callable[[Run, str, "DataFrame"], None]
# Forms that telling the model about can mend.
REPAIRABLE = (ErrorClass.MALFORMED.value, ErrorClass.SCHEMA.value)


def ask(run: Run, stage: str, asked: DataFrame, send: Send = execute) -> DataFrame:
    """The value or the typed error of every completion that is asked for (columns ASKED): rows of ANSWER.

    Whatever is stored already is not asked again, in whatever order or number it comes. `send` is what happens to the
    requests of each turn before their answers are looked up.
    """
    from pyspark.sql import functions as F

    repairs = requests.model(run).repairs
    turns = run.pin(f"asked-{stage}-0", lambda: requests.rendered(run, asked))
    settled: DataFrame | None = None
    for turn in range(repairs + 1):
        if not run.dry:
            requests.store(run, stage, turns)
            send(run, stage, turns)
        found = run.pin(f"answers-{stage}-{turn}", lambda turns=turns: joined(run, turns))  # type: ignore[misc]
        wrong = F.coalesce(F.col("error_class").isin(*REPAIRABLE) & F.col("content").isNotNull(), F.lit(False))
        last = turn == repairs
        kept = found if last else found.where(~wrong)
        settled = kept if settled is None else settled.unionByName(kept)
        if last or found.where(wrong).isEmpty():
            break
        again = found.where(wrong).withColumn("told", F.col("error"))
        turns = run.pin(
            f"asked-{stage}-{turn + 1}",
            lambda again=again: run.direct(again, requests.repairing, requests.TURN),  # type: ignore[misc]
        )
    assert settled is not None
    return settled


def joined(run: Run, turns: DataFrame) -> DataFrame:
    """Each turn with what its stored answer says, or with its newest failure, or with neither."""
    from pyspark.sql import functions as F

    held = run.lake.read("llm_responses")
    answers = held.where("answered").select("request_key", "body", "attempts", "answered_by")
    newest = F.max_by(F.struct("error_class", "error", "attempts"), F.struct("made_at", "response_id")).alias("failed")
    failures = held.where("NOT answered").groupBy("request_key").agg(newest)
    both = turns.join(answers, on="request_key", how="left").join(failures, on="request_key", how="left")
    plain = both.withColumns(
        {
            "failed_class": F.col("failed.error_class"),
            "failed_told": F.col("failed.error"),
            "attempts": F.coalesce("attempts", F.col("failed.attempts")),
        }
    ).drop("failed")
    return run.direct(plain, parsing, ANSWER)


@contextmanager
def parsing() -> Iterator[Measure]:
    """The parser, as a measure over turns beside their stored bodies."""

    def parse(row: Mapping[str, Any]) -> Iterator[Row]:
        made = dict(row)
        body, kind, told = made.pop("body"), made.pop("failed_class"), made.pop("failed_told")
        if body is None:
            yield made | {"value": None, "error_class": kind, "error": told, "content": None}
            return
        found = parsed(body, row["schema"])
        wrong = {"error_class": found.error.value if found.error else None, "error": found.message or None}
        # The content is only needed to show it to the model again.
        yield made | wrong | {"value": found.value, "content": content_of(body) if found.error else None}

    yield parse
