"""One execution of a recipe: its stages in order, each doing only what is new, its counts read from the tables."""

from __future__ import annotations

import contextlib
import datetime
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tasklake.jobs.config import Settings, UsageError, redacted
from tasklake.jobs.corpus import refuse_missing
from tasklake.jobs.lake import Lake, LakeUri
from tasklake.jobs.lake.lease import Lease
from tasklake.jobs.llm.calling import ledger, spent
from tasklake.jobs.llm.forecast import forecast
from tasklake.jobs.recipe import Recipe
from tasklake.jobs.report import write_report
from tasklake.jobs.session import driver_processes, session
from tasklake.jobs.stage import OURS, Run, Stage
from tasklake.jobs.stages import load_stage
from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# The stages whose measures run programs.
EXECUTING = ("ground", "execute")
# Enough for a sentence and its cause; a plan that Spark prints may be a megabyte.
MAX_ERROR = 2000
Progress = Callable[[str, Mapping[str, Any]], None]


class StageError(TasklakeError):
    """A stage broke its promise or could not go on."""


@dataclass
class StageReport:
    """What one stage did, counted in the tables."""

    stage: str
    rows_in: int
    kept: int
    rejected: int
    new: int
    executed: int = 0
    llm_calls: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The report with `in` for a name, which Python keeps to itself."""
        rest = asdict(self)
        return {"stage": rest.pop("stage"), "in": rest.pop("rows_in"), **rest}


@dataclass
class RunReport:
    """What a run did."""

    run_id: str
    recipe: str
    status: str
    lake: str
    report: str
    stages: list[StageReport] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {**asdict(self), "stages": [stage.as_dict() for stage in self.stages]}


@dataclass
class PlanReport:
    """What a run would do."""

    recipe: str
    lake: str
    stages: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """The plan as one JSON object."""
        return asdict(self)


def run(
    recipe: Recipe, settings: Settings, *, first: str | None = None, until: str | None = None, wait: bool = False,
    progress: Progress = lambda stage, facts: None,
) -> RunReport:  # fmt: skip
    """Every stage of the recipe is done; what was known before is not done again."""
    stages = chosen(recipe, first, until)
    refuse_missing(recipe, stages)
    uri = LakeUri.parse(settings.lake)
    lease = Lease(uri, f"tasklake run {recipe.name}", wait=wait, told=lambda text: progress("lease", {"text": text}))
    with lease, session(settings, uri) as spark:
        for process in driver_processes(spark):
            lease.add_process(process)
        run_id = new_run_id()
        lake = Lake(spark, uri, lease=lease, run_id=run_id)
        progress("lake", {"text": f"lake {uri}"})
        lake.ensure()
        lake.unpin()
        this = Run(spark, lake, recipe, settings, run_id, progress)
        with recorded(this) as report:
            for name in stages:
                report.stages.append(do(this, name))
        report.report = write_report(this, report.as_dict())
        lake.unpin()
        return report


def new_run_id() -> str:
    """An identity that sorts by time."""
    return f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


def chosen(recipe: Recipe, first: str | None, until: str | None) -> list[str]:
    """The recipe's stages from `first` to `until`, both included."""
    names: list[str] = list(recipe.stages)
    for wanted in (first, until):
        if wanted is not None and wanted not in names:
            right = nearest(wanted, names)
            hint = f"did you mean {right}? " if right else ""
            raise UsageError(f"recipe {recipe.name} has no stage {wanted}; {hint}It has {', '.join(names)}")
    start = names.index(first) if first else 0
    end = names.index(until) + 1 if until else len(names)
    if start >= end:
        raise UsageError(f"--from {first} comes after --until {until}; the order is {', '.join(names)}")
    return names[start:end]


def do(this: Run, name: str) -> StageReport:
    """The stage's inputs are outputs or rejects now; the counts are read from the tables."""
    began = time.monotonic()
    this.progress(name, {"text": "looking for news"})
    stage = load_stage(name)
    before = after = tally(this, name, stage)
    if before["new"]:
        this.progress(name, {"text": f"{before['new']} new of {before['in']}"})
        stage.work(this, news(this, name, stage))
        after = tally(this, name, stage)
    if after["stale"]:
        settle(this, name, stage)
    leave = getattr(stage, "settle", None)
    if leave:
        leave(this)
    _hold(name, after)
    this.measured(name)
    counts = StageReport(name, after["in"], after["kept"], after["rejected"], before["new"], _executed(this, name))
    counts.llm_calls, counts.cost_usd = spent(this, name)
    counts.seconds = round(time.monotonic() - began, 3)
    this.progress(name, {**counts.as_dict(), "ended": True})
    return counts


def _executed(this: Run, name: str) -> int:
    """How many programs this run really ran for the stage."""
    return this.measures.get(name, 0) if name in EXECUTING else 0


def _hold(name: str, after: Mapping[str, int]) -> None:
    """Input keys are output keys or reject keys, never both, never neither."""
    if after["left"] or after["both"]:
        raise StageError(
            f"stage {name} left {after['left']} of {after['in']} inputs without a row and gave {after['both']} both a "
            "row and a reject; nothing it wrote is lost. Run again; if this stays, it is a fault of tasklake."
        )


def news(this: Run, name: str, stage: Stage) -> DataFrame:
    """The inputs that are neither outputs nor rejects, or were refused through a fault of ours."""
    from pyspark.sql import functions as F

    on = ["key", "made_by"]
    settled = this.rejects(name).where(~F.col("reason").isin(*OURS)).select(*on)
    return stage.inputs(this).join(stage.outputs(this).select(*on).unionByName(settled), on=on, how="left_anti")


def tally(this: Run, name: str, stage: Stage) -> dict[str, int]:
    """How many inputs there are, kept, rejected, new and (never) both, and how many rejects are stale, in one query."""
    from pyspark.sql import functions as F

    on = ["key", "made_by"]
    inputs = stage.inputs(this).select(*on).distinct().withColumn("given", F.lit(True))
    kept = stage.outputs(this).select(*on).distinct().withColumn("kept", F.lit(True))
    refused = this.rejects(name).select(*on, "reason").withColumn("rejected", F.lit(True))
    joined = inputs.join(kept, on=on, how="left").join(refused, on=on, how="full_outer")
    given, is_kept, is_refused = (F.coalesce(flag, F.lit(False)) for flag in ("given", "kept", "rejected"))
    ours = is_refused & F.col("reason").isin(*OURS)
    row = joined.agg(
        F.count_if(given).alias("in"),
        F.count_if(given & is_kept).alias("kept"),
        F.count_if(given & is_refused & ~is_kept).alias("rejected"),
        F.count_if(given & ~is_kept & (~is_refused | ours)).alias("new"),
        F.count_if(given & ~is_kept & ~is_refused).alias("left"),
        F.count_if(given & is_kept & is_refused & ~ours).alias("both"),
        F.count_if(is_refused & (~given | (is_kept & ours))).alias("stale"),
    ).first()
    return row.asDict() if row else {}


def settle(this: Run, name: str, stage: Stage) -> None:
    """Rejects of this stage whose input changed, left or succeeded at last are not current any more."""
    from pyspark.sql import functions as F

    on = ["key", "made_by"]
    live = stage.inputs(this).select(*on).distinct()
    kept = stage.outputs(this).select(*on).distinct()
    refused = this.rejects(name)
    left = refused.join(live, on=on, how="left_anti")
    mended = refused.where(F.col("reason").isin(*OURS)).join(kept, on=on, how="left_semi")
    stale = left.unionByName(mended).select("reject_id")
    held = this.lake.read("rejects").join(stale, on="reject_id", how="left_semi")
    this.lake.merge("rejects", held.withColumn("current", F.lit(False)))


@contextlib.contextmanager
def recorded(this: Run) -> Iterator[RunReport]:
    """The table `runs` tells of this run, from its beginning and however it ends short of a kill."""
    began, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    report = RunReport(this.run_id, this.recipe.name, "running", str(this.lake.uri), "")
    versions = this.lake.versions()

    def write(status: str, error: str = "") -> None:
        report.status = status
        row = {
            "run_id": this.run_id,
            "recipe": this.recipe.name,
            "recipe_hash": this.recipe.fingerprint(),
            "status": status,
            "error": error,
            "code_version": this.settings.code_version,
            "input_versions": versions,
            "output_versions": this.lake.versions() if status != "running" else {},
            "stages": [stage.as_dict() for stage in report.stages],
            "llm": ledger(this),
            "started_at": began,
            "seconds": round(time.monotonic() - clock, 3),
        }
        schema = this.lake.read("runs").schema
        this.lake.merge("runs", this.spark.createDataFrame([tuple(row[name] for name in schema.names)], schema))

    write("running")
    try:
        yield report
    except BaseException as error:
        with contextlib.suppress(TasklakeError):
            # Some errors of Spark say nothing but their name.
            write("failed", redacted(f"{type(error).__name__}: {error}")[:MAX_ERROR])
        raise
    write("done")


def plan(recipe: Recipe, settings: Settings) -> PlanReport:
    """What a run would do, without doing or changing anything; exact as far as a stage's inputs exist."""
    uri = LakeUri.parse(settings.lake)
    with session(settings, uri) as spark:
        lake = Lake(spark, uri)
        this = Run(spark, lake, recipe, settings, "", lambda stage, facts: None, dry=True)
        rows: list[dict[str, Any]] = []
        ahead = 0
        for name in recipe.stages:
            found = tally(this, name, load_stage(name))
            coming = ahead * (
                len(this.languages) * recipe.propose.samples if name == "propose" and recipe.propose else 1
            )
            rows.append(_planned(name, found, coming, recipe) | forecast(this, name, coming))
            ahead = found["new"] + coming
        return PlanReport(recipe.name, str(uri), rows)


def _planned(name: str, found: Mapping[str, int], coming: int, recipe: Recipe) -> dict[str, Any]:
    new = found["new"] + coming
    runs = {"ground": new * recipe.ground.attempts, "execute": new}.get(name, 0)
    known = found["in"] - found["new"]
    return {
        "stage": name, "in": found["in"] + coming, "new": new, "known": known, "exact": coming == 0,
        "runs": runs,
    }  # fmt: skip
