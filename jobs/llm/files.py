"""Batch files: open requests out, results in, with the tables between them as ever."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasklake.jobs import current
from tasklake.jobs.lake import Lake
from tasklake.jobs.lake.spool import Spool
from tasklake.jobs.llm import answering, calling, requests, solving
from tasklake.jobs.stage import Run
from tasklake.udfs.llm import batch
from tasklake.udfs.llm.responses import RESPONSE, is_completion
from tasklake.udfs.llm.secrets import Redactor
from tasklake.udfs.llm.terms import Prices
from tasklake.udfs.spool import Measure, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Stages that ask models, each with what it would ask now.
ASKING = {"propose": lambda run: solving.asked(run, current.requests(run))}
# What is held of result files at once: so many lines, and so much of answers that may be long.
CHUNK, CHUNK_BYTES = 2000, 1 << 25
META = "model string, stage string"
LINE = "custom_id string, place string, body string, kind string, told string"
# What goes wrong is told with so many examples.
TOLD = 3


@dataclass
class Imported:
    """What result files brought."""

    lines: int = 0
    answers: int = 0
    new: int = 0
    failures: int = 0
    repeated: int = 0
    unknown: int = 0
    wrong: int = 0
    told: list[str] = field(default_factory=list)
    open: int = 0

    def strange(self) -> bool:
        """True when there were lines, and not one was about a request of this lake."""
        return 0 < self.lines <= self.unknown + self.wrong + self.repeated


def export(run: Run, stage: str, asked: DataFrame, out: Path) -> list[batch.File]:
    """The requests for what a stage asks that nobody has answered are in files that a provider's Batch API takes."""
    # What a killed run had answered is paid for, and still in its spool.
    calling.Spool(run, stage).recover()
    found: list[DataFrame] = []

    def keep(run: Run, stage: str, turns: DataFrame) -> None:
        found.append(requests.unanswered(run, turns))

    answering.ask(run, stage, asked, keep)
    frames = (frame.orderBy("template_hash", "messages") for frame in found)
    rows = (row.asDict() for frame in frames for row in frame.toLocalIterator())
    return batch.write(rows, out, requests.model(run).structured)


def take(lake: Lake, paths: Iterable[Path], keys: Sequence[str] = ()) -> Imported:
    """What result files hold is in `llm_responses`, each answer once, however often and in whatever order it comes.

    `keys` names variables whose keys are kept out, as that of the hosted API is.
    """
    from pyspark.sql import functions as F

    told, parse = Imported(), Spool(lake.spark, lake, "", f"{RESPONSE}, {META}")
    seen: set[str] = set()
    asked = lake.read("llm_requests").select(
        "request_key", "prompt_tokens", "schema", "prices", "model", "recipe", "stage"
    )
    lines = (batch.read(*line) for path in paths for line in batch.lines(path))
    for chunk in _chunks(lines):
        rows = [each for each in chunk if _counts(each, told, seen)]
        frame = lake.spark.createDataFrame([tuple(_flat(row).values()) for row in rows], LINE)
        known = frame.withColumnRenamed("custom_id", "request_key").join(asked, on="request_key")
        made = lake.pin(f"import-{told.lines}", parse.direct(known, partial(importing, keys)))
        told.unknown += len(rows) - made.count()
        told.new += lake.merge("llm_responses", made.withColumn("made_by", F.lit("batch")))
    answered = lake.read("llm_responses").where("answered").select("request_key")
    told.open = lake.read("llm_requests").join(answered, on="request_key", how="left_anti").count()
    return told


def _chunks(lines: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line.get("body", ""))
        if len(chunk) == CHUNK or size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _counts(line: Mapping[str, Any], told: Imported, seen: set[str]) -> bool:
    """True for a line that tells of a request for the first time; the others are counted for what they are."""
    told.lines += 1
    if "wrong" in line:
        told.wrong += 1
        told.told += [line["wrong"]] if len(told.told) < TOLD else []
        return False
    if not is_completion(line.get("body", "")):
        told.failures += 1
        return line["custom_id"] not in seen
    told.answers += 1
    if line["custom_id"] in seen:
        told.repeated += 1
        return False
    seen.add(line["custom_id"])
    return True


def _flat(line: Mapping[str, Any]) -> dict[str, str | None]:
    kind = line.get("kind")
    return {
        "custom_id": line["custom_id"],
        "place": line["place"],
        "body": line.get("body"),
        "kind": kind.value if kind else None,
        "told": line.get("told"),
    }


@contextmanager
def importing(keys: Sequence[str]) -> Iterator[Measure]:
    """Lines of result files beside their requests, as a measure that makes response rows of them."""
    redactor = Redactor(["OPENAI_API_KEY", *keys])

    def rows(row: Mapping[str, Any]) -> Iterator[Row]:
        line = {name: row[name] for name in ("custom_id", "body", "kind", "told") if row.get(name) is not None}
        made = batch.imported(line, row, Prices(**json.loads(row["prices"])), redactor)
        yield made | {name: row[name] for name in ("model", "recipe", "stage")}

    yield rows
