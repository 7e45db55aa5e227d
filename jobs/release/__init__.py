"""Releases: what is current and grounded, frozen as a copy with its own digest, and exported for trainers.

A trainer format is one file in `exports/`. A frozen copy is Parquet plus `manifest.json` and a card, below
`releases/<name>/v<version>-<digest>` of the lake, and is never written to again.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasklake.jobs import current
from tasklake.jobs.config import Settings, UsageError
from tasklake.jobs.lake import LakeUri, look
from tasklake.jobs.release import exports
from tasklake.jobs.release.card import card
from tasklake.jobs.release.frozen import PATH, Frozen
from tasklake.jobs.stage import Run
from tasklake.quality.tables import all_tables
from tasklake.sandbox_exec.documents import nearest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Hash buckets of a digest: each is hashed by itself, so that no list of row hashes outgrows one worker.
BUCKET_HEX = 3


def content(run: Run) -> dict[str, DataFrame]:
    """The rows of a release now: grounded tasks with their cases, and samples."""
    from pyspark.sql import functions as F

    each = F.array_sort(F.collect_list(F.struct("ordinal", "input", "output"))).alias("cases")
    cases = run.lake.read("cases").groupBy("task_id").agg(each)
    licence = current.problems(run).select("problem_id", "licence")
    now = current.grounded(run).select("task_id")
    tasks = _content(run, "tasks").join(now, on="task_id", how="left_semi")
    samples = _content(run, "samples").join(current.samples(run).select("sample_id"), on="sample_id", how="left_semi")
    return {"tasks": tasks.join(cases, on="task_id").join(licence, on="problem_id"), "samples": samples}


def _content(run: Run, table: str) -> DataFrame:
    return run.lake.read(table).select(*all_tables()[table].content)


def digest(frames: dict[str, DataFrame]) -> str:
    """A sha256 over the content of every row, whatever the order, files or partitions."""
    from pyspark.sql import functions as F

    whole = hashlib.sha256()
    for name, frame in sorted(frames.items()):
        hashed = frame.select(F.sha2(F.to_json(F.struct(*sorted(frame.columns))), 256).alias("h"))
        bucket = F.substring("h", 1, BUCKET_HEX).alias("bucket")
        parts = hashed.groupBy(bucket).agg(F.sha2(F.concat_ws("", F.array_sort(F.collect_list("h"))), 256).alias("d"))
        rows = sorted(parts.collect(), key=lambda row: str(row["bucket"]))
        whole.update(json.dumps([name, [[row["bucket"], row["d"]] for row in rows]]).encode())
    return whole.hexdigest()


def freeze(run: Run, frames: dict[str, DataFrame], made: dict[str, Any]) -> dict[str, Any]:
    """The frozen copy lies in the lake; its row for the table `releases`."""
    path = PATH.format(**made)
    place = run.lake.uri.child(*path.split("/"))
    for name, frame in frames.items():
        frame.orderBy(frame.columns[0]).write.mode("overwrite").parquet(place.child(name).spark())
    languages = sorted(row["language"] for row in frames["samples"].select("language").distinct().collect())
    counts = {name: frame.count() for name, frame in frames.items()}
    row = {**made, **counts, "languages": languages, "path": path, "input_versions": run.lake.versions()}
    manifest = {
        **row,
        "recipe": run.recipe.model_dump(mode="json"),
        "run_id": run.run_id,
        "code": run.settings.code_version,
    }
    place.child("manifest.json").write_bytes(json.dumps(manifest, indent=2, sort_keys=True).encode())
    place.child("README.md").write_bytes(card(manifest, _licences(frames["tasks"])).encode())
    return row


def _licences(tasks: DataFrame) -> list[str]:
    return sorted(row["licence"] for row in tasks.select("licence").distinct().collect())


def formats() -> list[str]:
    """The trainer formats that a release can be exported to."""
    return sorted(module.name for module in pkgutil.iter_modules(exports.__path__))


def find(lake: str, wanted: str) -> dict[str, Any]:
    """The release called NAME (its newest version) or NAME@VERSION."""
    name, _, version = wanted.partition("@")
    rows = look.objects(look.query(lake, "SELECT * FROM releases"))
    found = [r for r in rows if r["name"] == name and (not version or str(r["version"]) == version.removeprefix("v"))]
    if found:
        return max(found, key=lambda r: int(r["version"]))
    known = sorted({f"{r['name']}@{r['version']}" for r in rows})
    right = nearest(wanted, known)
    hint = f"did you mean {right}?" if right else f"there are: {', '.join(known) or 'none yet'}"
    raise UsageError(f"no release is called {wanted}; {hint}")


def export(settings: Settings, release: str, format: str, out: Path) -> dict[str, Any]:
    """`out` holds the release in a trainer's format, beside its manifest, whole or not at all; no Spark is started."""
    if format not in formats():
        right = nearest(format, formats())
        raise UsageError(
            f"no format is called {format}{f'; did you mean {right}?' if right else ''} Known: {', '.join(formats())}"
        )
    row = find(settings.lake, release)
    name = f"{row['name']}-v{row['version']}.{format}"
    frozen = Frozen(LakeUri.parse(settings.lake), row)
    manifest = frozen.manifest()
    module = importlib.import_module(f"{exports.__name__}.{format}")
    try:
        tasks = {task["task_id"]: task for task in frozen.rows("tasks")}
        lines = [
            json.dumps(line, ensure_ascii=False, sort_keys=True) for line in module.rows(tasks, frozen.rows("samples"))
        ]
    except KeyError as error:
        raise frozen.damaged(f"its rows lack {error}") from None
    out.mkdir(parents=True, exist_ok=True)
    _write(out / f"{name}.jsonl", "".join(f"{line}\n" for line in lines).encode())
    _write(out / f"{name}.manifest.json", manifest)
    told = {"release": f"{row['name']}@{row['version']}", "format": format, "rows": len(lines)}
    return {**told, "file": str(out / f"{name}.jsonl"), "manifest": str(out / f"{name}.manifest.json")}


def _write(target: Path, data: bytes) -> None:
    """The file has the bytes; who looks meanwhile sees what was there before."""
    partial = target.with_name(f".{target.name}.partial")
    partial.write_bytes(data)
    partial.replace(target)
