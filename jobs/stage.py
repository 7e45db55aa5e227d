"""What a stage is, and what it is given: the run, with its measures, its rejects and its place in the lake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

from tasklake.jobs.config import Settings
from tasklake.jobs.lake import Lake
from tasklake.jobs.lake.spool import Spool
from tasklake.jobs.recipe import Recipe
from tasklake.jobs.recipe_languages import chosen
from tasklake.quality.gates import Gate, chosen_gates
from tasklake.sandbox_exec.languages import Language, load_languages
from tasklake.sandbox_exec.limits import Limits
from tasklake.udfs.identity import content_hash
from tasklake.udfs.llm.errors import TRANSIENT
from tasklake.udfs.spool import OpenMeasure

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

# A reject with one of these reasons is our failure or a provider's, not the row's: the next run tries again.
OURS = ("internal_error", *(f"no_answer_{kind.value}" for kind in sorted(TRANSIENT)))
# How many rows a task gets at most, so that a retried task repeats little.
TASK_ROWS = 500


@dataclass
class Run:
    """One execution of a recipe on a lake."""

    spark: SparkSession
    lake: Lake
    recipe: Recipe
    settings: Settings
    run_id: str
    progress: Callable[[str, Mapping[str, Any]], None]
    dry: bool = False
    measures: dict[str, int] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def sources(self) -> list[str]:
        """The names of the recipe's sources: a run looks at nothing else in the lake."""
        return [source.name for source in self.recipe.all_sources]

    @cached_property
    def packs(self) -> Mapping[str, Language]:
        """Every language pack that loads, by id."""
        folder = self.settings.plugins / "languages" if self.settings.plugins else None
        return load_languages(folder)

    @cached_property
    def languages(self) -> list[str]:
        """The languages that candidates are asked for in."""
        return chosen(self.recipe.languages, self.packs)

    def limits_of(self, stage: str) -> Limits:
        """The limits that programs of a stage are held to: its own, then the recipe's, then the sandbox's defaults."""
        own = getattr(self.recipe, stage).limits.as_mapping()
        return Limits.from_mapping({**self.recipe.limits.as_mapping(), **own})

    def boxes(self, stage: str) -> tuple[Mapping[str, Language], Limits, str, str]:
        """What workers need to run programs of a stage: packs, limits, isolation, and how much to tell."""
        return self.packs, self.limits_of(stage), self.recipe.execute.isolation, self.settings.log_level

    @cached_property
    def gates(self) -> Sequence[Gate]:
        """The gates that the recipe asks for."""
        folder = self.settings.plugins / "gates" if self.settings.plugins else None
        return chosen_gates("all" if self.recipe.gate.gates == ("all",) else self.recipe.gate.gates, folder)

    @property
    def samples(self) -> int:
        """How many candidates are asked for per task and language."""
        return self.recipe.propose.samples if self.recipe.propose else 0

    def pin(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """The frame as it was when first asked for in this run, without the plan that made it."""
        if name not in self.memo:
            self.memo[name] = make().localCheckpoint() if self.dry else self.lake.pin(name, make())
        return cast("DataFrame", self.memo[name])

    def direct(self, rows: DataFrame, open_measure: OpenMeasure, schema: str) -> DataFrame:
        """What the measure makes of every row, computed when it is read: for what costs nothing."""
        return Spool(self.spark, self.lake, "", schema).direct(rows, open_measure)

    def measure(
        self, stage: str, rows: DataFrame, open_measure: OpenMeasure, schema: str, keep: str | None = None
    ) -> DataFrame:
        """What the measure makes of every row, stored once before anyone reads it; a dry run stores nothing.

        With `keep`, rows that a killed run had finished are used, found by that column, instead of measured again.
        """
        spool = Spool(self.spark, self.lake, stage, schema)
        if self.dry:
            return spool.direct(rows, open_measure)
        if keep is None:
            spool.clear()
        else:
            rows = rows.join(spool.read().select(keep), on=keep, how="left_anti")
        done = spool.fill(self.spread(rows), open_measure, keep, lambda n: self.progress(stage, {"done": n}))
        self.measures[stage] = done
        return spool.read(distinct=keep)

    def spread(self, rows: DataFrame) -> DataFrame:
        """The rows over enough tasks to keep every core busy and each task short."""
        cores = max(1, int(self.spark.conf.get("spark.sql.shuffle.partitions", "2") or 2))
        count = rows.count()
        return rows.repartition(max(1, min(count, max(cores, -(-count // TASK_ROWS)))))

    def measured(self, stage: str) -> None:
        """What the stage spooled is in tables now; the segments are gone."""
        Spool(self.spark, self.lake, stage, "").clear()

    def reject(self, stage: str, rows: DataFrame) -> int:
        """Every row is among the rejects of the stage: columns key, made_by, source, subject, reason, detail, and
        optionally location and excerpt."""
        from pyspark.sql import functions as F

        given = set(rows.columns)
        optional = {name: F.lit("") for name in ("location", "excerpt") if name not in given}
        named = rows.withColumns(
            {
                **optional,
                "stage": F.lit(stage),
                "current": F.lit(True),
                "reject_id": row_hash(F.lit(stage), F.col("key"), F.col("made_by")),
            }
        )
        return self.lake.merge("rejects", named.withColumnRenamed("key", "input_key"))

    def rejects(self, stage: str) -> DataFrame:
        """The current rejects of a stage within this recipe's sources: key, made_by, reason."""
        from pyspark.sql import functions as F

        held = self.lake.read("rejects").where(
            F.col("current") & (F.col("stage") == stage) & F.col("source").isin(self.sources)
        )
        return held.select(F.col("input_key").alias("key"), "made_by", "reason", "reject_id")


class Stage(Protocol):
    """A step of the journey: a module in `jobs/stages` with these functions.

    Every input key ends as an output key or a reject key, never both, and this is read from the tables.
    """

    def inputs(self, run: Run) -> DataFrame:
        """What there is to do now: columns key, made_by, and whatever `work` wants."""
        ...

    def outputs(self, run: Run) -> DataFrame:
        """What the stage's table holds: columns key, made_by."""
        ...

    def work(self, run: Run, news: DataFrame) -> None:
        """The given inputs are outputs or rejects afterwards."""
        ...


def row_hash(*columns: Column) -> Column:
    """A sha256 hex over columns, told apart by JSON: the hash behind every key made in Spark."""
    from pyspark.sql import functions as F

    return F.sha2(F.to_json(F.array(*(F.coalesce(c.cast("string"), F.lit("")) for c in columns))), 256)


def fingerprint(*parts: object) -> str:
    """A short hash of what decides a stage's outcome: versions and settings."""
    return content_hash(*parts)[:16]
