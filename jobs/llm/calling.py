"""Execute: requests without an answer are sent by tasks; what they finish is appended to the table while they go on.

Nothing waits for the slowest answer: one Spark job sends everything, and waves of what its tasks have closed into
segments are committed beside it. Another job follows only where the shares of a budget have to be dealt out anew.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tasklake.jobs.lake import LakeUri
from tasklake.jobs.llm import requests
from tasklake.jobs.stage import Run, fingerprint
from tasklake.udfs.llm.control import Control
from tasklake.udfs.llm.errors import ErrorClass, LlmError
from tasklake.udfs.llm.responses import RESPONSE
from tasklake.udfs.llm.task import TALLY_SCHEMA, Place, calling
from tasklake.udfs.llm.terms import Terms

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# How often it is looked at what tasks have done.
LOOK_S = 2.0
# A wave is committed once so many responses wait for it, or the oldest has waited this long: each commit costs a second
# or two, and a table with thousands of versions is slow to read.
WAVE_ROWS = 5000
WAVE_S = 60.0
# How long tasks have to notice that the run ends before its caller is told.
STOP_S = 30.0
# Raised when what is stored of a response changes.
EXECUTOR_VERSION = "2"


@dataclass
class Spent:
    """What a stage spent in this run."""

    asked: int = 0
    known: int = 0
    calls: int = 0
    answered: int = 0
    failed: int = 0
    tokens: int = 0
    usd: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)


def spent(run: Run, stage: str) -> tuple[int, float]:
    """The calls that a stage made in this run, and what they cost."""
    found: Spent = run.memo.get(f"llm {stage}") or Spent()
    return found.calls, round(found.usd, 6)


def ledger(run: Run) -> list[dict[str, Any]]:
    """What each stage of this run asked, found stored, called and paid for: rows for the table `runs`."""
    if run.recipe.llm is None:
        return []
    used = {name.removeprefix("llm "): held for name, held in run.memo.items() if name.startswith("llm ")}
    names = ("asked", "known", "calls", "answered", "failed", "tokens", "usd")
    model = run.recipe.llm.identity
    return [{"stage": s, "model": model, **{n: getattr(u, n) for n in names}} for s, u in used.items()]


def execute(run: Run, stage: str, turns: DataFrame) -> None:
    """Every request has an answer or a failure in `llm_responses`, or the run has ended with the reason."""
    spool = Spool(run, stage)
    spool.recover()
    used: Spent = run.memo.setdefault(f"llm {stage}", Spent())
    asked, name = turns.select("request_key").distinct().count(), f"open-{stage}-{used.asked}"
    wanted = run.lake.pin(name, requests.unanswered(run, turns))
    left = wanted.count()
    used.asked, used.known = used.asked + asked, used.known + asked - left
    terms = requests.model(run).terms(requests.purse(run))
    rounds = itertools.count(1)
    while left:
        outcome = spool.send(wanted, terms, used)
        done = sum(row["answered"] + row["failed"] for row in outcome)
        _refuse_to_go_on(run, outcome, left, done, terms.tasks == 1)
        if done == left:
            return
        wanted = run.lake.pin(f"{name}-{next(rounds)}", _open(run, wanted))
        left = wanted.count()
        # What the shares of a budget left over is one share.
        terms = replace(terms, tasks=1, purse=requests.purse(run))


def _open(run: Run, wanted: DataFrame) -> DataFrame:
    """The requests that have neither an answer nor a failure of this run."""
    from pyspark.sql import functions as F

    seen = run.lake.read("llm_responses").where(F.col("answered") | (F.col("run_id") == run.run_id))
    return wanted.join(seen.select("request_key"), on="request_key", how="left_anti")


def _refuse_to_go_on(run: Run, outcome: list[dict[str, Any]], left: int, done: int, alone: bool) -> None:
    """Raises with the reason for which tasks stopped, unless another job can do what they left.

    A budget that is shared may be too small for a call in every share: it is used up where one task has all of it.
    """
    stops = [row for row in outcome if row["stop"]]
    for row in sorted(stops, key=lambda each: str(each["stop"] == ErrorClass.BUDGET.value)):
        if row["stop"] != ErrorClass.BUDGET.value:
            raise LlmError(
                f"{row['why']}; {done} of {left} requests were settled, all of it is stored: run again to go on"
            )
    if stops and alone and not done:
        budget = requests.model(run).budget.model_dump(exclude_none=True)
        told = ", ".join(f"{name} {most:g}" for name, most in budget.items())
        raise LlmError(
            f"the budget of recipe {run.recipe.name} ({told}) is used up with {left} requests open; "
            "raise llm.budget and run again to go on"
        )


class Spool:
    """Segments and claims of a stage's calls below `_spool` of the lake."""

    def __init__(self, run: Run, stage: str):
        from pyspark.sql.pandas.types import to_arrow_schema

        self.run, self.stage = run, stage
        self.segments: LakeUri = run.lake.uri.child("_spool", f"{stage}-answers")
        control = run.lake.uri.child("_spool", f"{stage}-claims")
        self.control = Control(control.bucket, control.path)
        schema = to_arrow_schema(run.spark.createDataFrame([], RESPONSE).schema)
        segments = (self.segments.bucket, self.segments.path)
        self.place = Place(run.run_id, run.recipe.name, *segments, self.control, schema)
        self.taken: set[str] = set()

    def recover(self) -> None:
        """What earlier runs finished is in the table, and none of their tasks is at work any more."""
        self.control.open_fence(self.run.run_id)
        self.control.unowned(self.control.names("claim-"))
        self.append()
        self._clear()

    def send(self, wanted: DataFrame, terms: Terms, used: Spent) -> list[dict[str, Any]]:
        """The requests are sent; what came back is in the table. One row for each task: what it did, why it stopped."""
        spread = wanted.repartition(terms.tasks, "request_key") if terms.tasks > 1 else wanted.coalesce(1)
        # Equal beginnings beside each other: providers keep the last prompts that they have read.
        sorted_rows = spread.sortWithinPartitions("template_hash", "messages")
        job = Job(sorted_rows, terms, self.place)
        began, last = time.monotonic(), time.monotonic()
        try:
            job.start()
            while job.is_alive():
                job.join(LOOK_S)
                self._tell(began)
                if self.waiting() >= WAVE_ROWS or time.monotonic() - last >= WAVE_S:
                    self.append()
                    last = time.monotonic()
        finally:
            if job.is_alive():
                self.control.close_fence(self.run.run_id)
                job.join(STOP_S)
            self.append()
        self._count(used)
        self._tell(began)
        self._clear()
        return job.outcome()

    def waiting(self) -> int:
        """How many finished responses are in no table."""
        return sum(int(file.path.rpartition("seg-")[2].partition("-")[0]) for file in self._new())

    def append(self) -> None:
        """Everything in closed segments is in the table."""
        from pyspark.sql import functions as F

        new = self._new()
        if not new:
            return
        rows = self.run.spark.read.schema(RESPONSE).parquet(*(file.literal() for file in new))
        asked = self.run.lake.read("llm_requests").select("request_key", "model", "stage")
        made = rows.join(asked, on="request_key").withColumn("made_by", F.lit(fingerprint("live", EXECUTOR_VERSION)))
        self.run.lake.merge("llm_responses", made)
        self.taken |= {file.path for file in new}

    def _new(self) -> list[LakeUri]:
        return [file for file in self.segments.files(".parquet") if file.path not in self.taken]

    def _clear(self) -> None:
        """Nothing is left for a retried task to find: only between jobs."""
        self.segments.remove()
        self.control.clear()
        self.taken.clear()

    def _claims(self) -> list[dict[str, Any]]:
        return list(self.control.claims().values())

    def _tell(self, began: float) -> None:
        claims = self._claims()
        total: Counter[str] = Counter()
        for claim in claims:
            total.update(
                {name: claim.get(name, 0) for name in ("answered", "failed", "in_flight", "pushed_back", "calls")}
            )
        minutes = max(time.monotonic() - began, 1.0) / 60
        self.run.progress(
            self.stage,
            {
                "done": total["answered"] + total["failed"],
                "failed": total["failed"],
                "in_flight": total["in_flight"],
                "per_minute": round(total["calls"] / minutes),
                "pushed_back": total["pushed_back"],
                "usd": round(sum(claim.get("usd", 0.0) for claim in claims), 4),
                "last": next((claim["last"] for claim in claims if claim.get("last")), ""),
            },
        )

    def _count(self, used: Spent) -> None:
        for claim in self._claims():
            used.calls += claim.get("calls", 0)
            used.answered += claim.get("answered", 0)
            used.failed += claim.get("failed", 0)
            used.tokens += claim.get("tokens", 0)
            used.usd += claim.get("usd", 0.0)
            used.failures.update(claim.get("failures", {}))


class Job(threading.Thread):
    """The Spark job that makes the calls, beside the thread that commits what it finishes."""

    def __init__(self, rows: DataFrame, terms: Terms, place: Place):
        super().__init__(name="calls", daemon=True)
        self.rows, self.terms, self.place = rows, terms, place
        self.found: list[dict[str, Any]] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """The job has ended, one way or the other."""
        try:
            made = self.rows.mapInArrow(calling(self.terms, self.place), TALLY_SCHEMA).collect()
            self.found = [row.asDict() for row in made]
        except BaseException as error:  # noqa: BLE001  raised again where the job is waited for
            self.error = error

    def outcome(self) -> list[dict[str, Any]]:
        """What the tasks told at their end; raises what ended the job."""
        if self.error is not None:
            raise self.error
        return self.found
