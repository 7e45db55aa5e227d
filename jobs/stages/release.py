"""What is current and grounded is frozen as the next version, unless the newest version holds just that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasklake.jobs import fingerprints
from tasklake.jobs.release import content, digest, freeze
from tasklake.jobs.stage import Run
from tasklake.quality.gates import gate_fingerprint
from tasklake.udfs.identity import content_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAGE = "release"


def inputs(run: Run) -> DataFrame:
    """One row: the dataset as it would be released now."""
    if STAGE not in run.memo:
        run.memo[STAGE] = _next(run)
    made = run.memo[STAGE]
    key = content_hash(made["name"], made["version"], made["digest"])
    row = (key, fingerprints.release(run), made["digest"], made["version"], run.sources[0], made["name"])
    names = "key string, made_by string, digest string, version int, source string, subject string"
    return run.spark.createDataFrame([row], names)


def outputs(run: Run) -> DataFrame:
    """The releases there are."""
    from pyspark.sql import functions as F

    return run.lake.read("releases").select(F.col("release_id").alias("key"), "made_by")


def work(run: Run, news: DataFrame) -> None:
    """The dataset is frozen and listed, or refused because it is empty."""
    from pyspark.sql import functions as F

    asked = news.first()
    frames = content(run)
    if asked is None or frames["tasks"].isEmpty():
        told = {
            "reason": F.lit("empty_release"),
            "detail": F.lit("no task is grounded, so there is nothing to release"),
        }
        run.reject(STAGE, news.withColumns(told))
        return
    made = {"name": asked["subject"], "version": asked["version"], "digest": asked["digest"]}
    row = freeze(run, frames, {**made, "gates": gate_fingerprint(run.gates)})
    stored = {**row, "release_id": asked["key"], "made_by": asked["made_by"]}
    columns = [name for name in run.lake.read("releases").columns if name not in ("run_id", "made_at")]
    schema = run.lake.read("releases").select(*columns).schema
    run.lake.merge("releases", run.spark.createDataFrame([tuple(stored[name] for name in columns)], schema))


def _next(run: Run) -> dict[str, Any]:
    """Name, digest and version of the release that would be made now: the newest one's version when nothing changed."""
    from pyspark.sql import functions as F

    name = run.recipe.release.name or run.recipe.name
    found = digest(content(run))
    held = run.lake.read("releases").where(F.col("name") == name).orderBy(F.desc("version")).first()
    if held is None:
        return {"name": name, "digest": found, "version": 1}
    # Content that is put together by another rule is another version, though its digest may happen to be the same.
    same = held["digest"] == found and held["made_by"] == fingerprints.release(run)
    return {"name": name, "digest": found, "version": held["version"] + (not same)}
