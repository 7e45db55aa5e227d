"""The files of a recipe's sources: found, read in workers, and mapped to rows that are either a problem or a reason."""

from __future__ import annotations

import glob
import importlib.resources
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tasklake.jobs.config import UsageError
from tasklake.jobs.lake.uri import S3_SCHEMES, LakeUri
from tasklake.jobs.recipe import Recipe, Source
from tasklake.jobs.sources import Mapper, load_source
from tasklake.jobs.stage import Run, fingerprint, row_hash
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.udfs.rows import UNREADABLE, RowError, checked, raw_rows
from tasklake.udfs.spool import Measure, OpenMeasure, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Raised when rows are put together to problems in another way.
INGEST_VERSION = "1"
PACKAGE = "package:"
ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet")

FILE = "source string, kind string, name string, bucket string, path string, data binary"
ANSWER = (
    "source string, source_id string, language string, sample int, answer string, model string, "
    "location string, reason string"
)
ANSWER_SCHEMA = {
    "source": "string",
    "source_id": "string",
    "language": "string",
    "sample": "int",
    "answer": "string",
    "model": "string",
}
# How many unreadable files a refusal names: enough to see what they have in common.
TOLD_FILES = 3
# A recorded answer beyond this is not an answer.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
PROBLEM = (
    "struct<style:string,title:string,statement:string,setup:string,tests:array<string>,input_format:string,"
    "output_format:string,cases:array<struct<input:string,output:string>>,"
    "solutions:array<struct<language:string,program:string>>,licence:string>"
)
ROW = (
    "source string, kind string, digest string, file string, line bigint, location string, "
    f"reason string, detail string, excerpt string, source_id string, problem {PROBLEM}, "
    "solution struct<language:string,program:string>"
)


class CorpusError(TasklakeError):
    """A corpus cannot be found or holds nothing."""


def read(run: Run) -> DataFrame:
    """Every raw row of every source once: key, made_by, source, subject, location, excerpt; a problem or a reason.

    A file that cannot be read ends the run before anything is changed, unless its source allows it.
    """
    files = [file for source in run.recipe.all_sources for file in source_files(source)]
    mappers = {source.name: _mapper(source, run.settings.plugins) for source in run.recipe.all_sources}
    opens = {name: mapper.open() for name, mapper in mappers.items()}
    frame = run.spark.createDataFrame(files, FILE)
    rows = run.measure("ingest", frame, partial(_mapping, opens), ROW)
    made = {
        s.name: (
            fingerprint("ingest", INGEST_VERSION, s.source, *mappers[s.name].versions),
            s.revision or mappers[s.name].revision,
        )
        for s in run.recipe.all_sources
    }
    _refuse_unreadable(run.recipe.all_sources, rows)
    _refuse_empty(run.recipe.all_sources, rows)
    return run.pin("rows", lambda: _assembled(_limited(run.recipe.all_sources, rows), made))


def refuse_missing(recipe: Recipe, stages: Sequence[str]) -> None:
    """Every file of this machine that the stages read is there: told before a session is started for nothing."""
    groups = [g for s in recipe.all_sources for g in (s.path, s.solutions_path or ())] if "ingest" in stages else []
    groups += [recipe.propose.path] if "propose" in stages else []
    for place in (place for group in groups for place in group):
        if place.split("://")[0] not in S3_SCHEMES:
            files_at(place)


def source_files(source: Source) -> list[tuple[str, str, str, str | None, str | None, bytes | None]]:
    """The files of a source and of its solutions, as rows of FILE."""
    found = []
    for kind, places in (("problem", source.path), ("solution", source.solutions_path or ())):
        for place in places:
            found += [(source.name, kind, *file) for file in files_at(place)]
    return found


def files_at(place: str) -> list[tuple[str, str | None, str | None, bytes | None]]:
    """The files that a path, a glob, a folder, a URI or `package:` names: name, bucket, path, data."""
    if place.startswith(PACKAGE):
        name = place.removeprefix(PACKAGE)
        data = importlib.resources.files("tasklake.jobs").joinpath(*name.split("/"))
        if not data.is_file():
            raise UsageError(f"{place}: the package holds no such file")
        return [(name, None, None, data.read_bytes())]
    if place.split("://")[0] in S3_SCHEMES:
        below = LakeUri.place(place)
        found = below.files() or [below]
        return [(str(f), f.bucket, f.path, None) for f in found if f.path.lower().endswith(ENDINGS)]
    names = _local_files(place)
    if not names:
        raise CorpusError(f"{place}: no such file; give the path of a JSON Lines, JSON or Parquet file")
    return [(name, None, name, None) for name in names]


def _local_files(place: str) -> list[str]:
    """The files of a folder, of a glob, or the one that is called so: a name may hold brackets and stars itself."""
    path = Path(LakeUri.place(place).path if place.startswith("file:") else place).expanduser().absolute()
    if path.is_dir():
        return sorted(str(p) for p in path.rglob("*") if p.name.lower().endswith(ENDINGS) and p.is_file())
    if path.exists():
        return [str(path)]
    return sorted(name for name in glob.glob(str(path)) if Path(name).is_file())


def answers(run: Run) -> DataFrame:
    """Recorded answers of the recipe, read once per run; a file that cannot be trusted is refused."""
    if "answers" not in run.memo and run.recipe.propose:
        files = [("", "answer", *file) for place in run.recipe.propose.path for file in files_at(place)]
        frame = run.spark.createDataFrame(files, FILE)
        rows = run.direct(frame, partial(_answering, MAX_ANSWER_BYTES), ANSWER).persist()
        _refuse_wrong_answers(rows)
        run.memo["answers"] = rows
    return cast("DataFrame", run.memo["answers"])


@contextmanager
def _answering(max_bytes: int) -> Iterator[Measure]:
    def rows(file: Mapping[str, Any]) -> Iterator[Row]:
        for raw in raw_rows(file, max_bytes):
            place = {"location": f"{file['name']}:{raw.line}", "reason": raw.detail or None}
            try:
                yield place | dict(checked(raw.value, ANSWER_SCHEMA) if raw.value is not None else {})
            except RowError as error:
                yield place | {"reason": str(error)}

    yield rows


def _refuse_wrong_answers(rows: DataFrame) -> None:
    from pyspark.sql import functions as F

    wrong = rows.where("reason IS NOT NULL").orderBy("location").limit(3).collect()
    on = ["source", "source_id", "language", "sample"]
    twice = (
        rows.where("reason IS NULL")
        .groupBy(*on)
        .agg(F.collect_list("location").alias("at"))
        .where("size(at) > 1")
        .limit(3)
        .collect()
    )
    told = [f"{r['location']}: {r['reason']}" for r in wrong] + [
        f"{' and '.join(r['at'])} answer the same request" for r in twice
    ]
    if told:
        raise CorpusError(f"recorded answers cannot be used: {'; '.join(told)}")


def _mapper(source: Source, plugins: Path | None) -> Mapper:
    module = load_source(source.source, plugins)
    return Mapper(source.name, module, source.licence or module.LICENCE, source.max_row_bytes)


@contextmanager
def _mapping(opens: Mapping[str, OpenMeasure]) -> Iterator[Measure]:
    with ExitStack() as stack:
        measures = {name: stack.enter_context(opened()) for name, opened in opens.items()}

        def rows(file: Mapping[str, Any]) -> Iterator[Row]:
            yield from measures[file["source"]](file)

        yield rows


def _refuse_unreadable(sources: Sequence[Source], rows: DataFrame) -> None:
    """What a file that cannot be read holds is not known: it must not count as withdrawn."""
    from pyspark.sql import functions as F

    allowed = [source.name for source in sources if source.allow_unreadable]
    # Without their solutions problems would be others, and lose their oracles: there is no way to allow that.
    wrong = rows.where(
        (F.col("reason") == UNREADABLE) & ((F.col("kind") != "problem") | ~F.col("source").isin(allowed))
    )
    first = wrong.orderBy("file").limit(TOLD_FILES).collect()
    if first:
        more = wrong.count() - len(first)
        raise CorpusError(
            f"source {first[0]['source']} cannot be read: {'; '.join(row['detail'] for row in first)}"
            f"{f'; and {more} more files' if more else ''}; nothing was changed. Mend or remove what is damaged (with "
            "allow_unreadable: true in the source, unreadable files of problems become rejects and withdraw nothing)"
        )


def _refuse_empty(sources: Sequence[Source], rows: DataFrame) -> None:
    """An empty corpus is nearly always a wrong path, and would withdraw everything that came from it."""
    found = {row["source"] for row in rows.where("kind = 'problem'").select("source").distinct().collect()}
    for source in sources:
        if source.name not in found and not source.allow_empty:
            raise CorpusError(
                f"source {source.name}: {', '.join(source.path)} holds no row; nothing was changed "
                "(set allow_empty: true to withdraw all its problems)"
            )


def _limited(sources: Sequence[Source], rows: DataFrame) -> DataFrame:
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    limits = {source.name: source.limit for source in sources if source.limit}
    if not limits:
        return rows
    place = F.row_number().over(Window.partitionBy("source", "kind").orderBy("file", "line"))
    numbered = rows.withColumn("_place", place)
    for name, limit in limits.items():
        numbered = numbered.where((F.col("source") != name) | (F.col("kind") != "problem") | (F.col("_place") <= limit))
    return numbered.drop("_place")


def _assembled(rows: DataFrame, made: Mapping[str, tuple[str, str]]) -> DataFrame:
    """Keys, fingerprints and revisions for all rows, duplicates refused, solutions put to their problems."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    order = Window.orderBy("file", "line").partitionBy
    again = F.row_number().over(order("source", "kind", "digest"))
    made_by, revision = (
        F.create_map(*(F.lit(text) for name, both in made.items() for text in (name, both[n])))[F.col("source")]
        for n in (0, 1)
    )
    keyed = rows.withColumns(
        {
            "key": row_hash(F.col("source"), F.col("kind"), F.col("digest"), again),
            "made_by": made_by,
            "revision": revision,
            "subject": F.coalesce("source_id", F.lit("")),
            "ok": F.col("reason").isNull(),
        }
    )
    first = F.first("location").over(order("source", "source_id", "kind", "ok"))
    nth = F.row_number().over(order("source", "source_id", "kind", "ok"))
    doubled = (F.col("kind") == "problem") & F.col("ok") & (nth > 1)
    told = F.concat(F.lit("source_id "), F.col("source_id"), F.lit(" is already given at "), first)
    single = _refused(keyed.withColumns({"_doubled": doubled, "_told": told}), "_doubled", "duplicate_id", "_told")
    return _with_solutions(single)


def _with_solutions(rows: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    good = rows.where("reason IS NULL")
    problems = good.where("kind = 'problem'").select("source", "source_id", F.lit(True).alias("_known"))
    known = rows.join(problems, on=["source", "source_id"], how="left")
    orphan = known.withColumns(
        {
            "_orphan": (F.col("kind") == "solution") & F.col("reason").isNull() & F.col("_known").isNull(),
            "_told": F.concat(F.lit("no usable problem has the id "), F.col("source_id")),
        }
    )
    settled = _refused(orphan, "_orphan", "solution_without_problem", "_told")
    pair = F.struct("key", F.col("solution.language").alias("language"), F.col("solution.program").alias("program"))
    offered = (
        settled.where("kind = 'solution' AND reason IS NULL")
        .groupBy("source", "source_id")
        .agg(F.array_sort(F.collect_list(pair)).alias("_offered"))
        .withColumn("kind", F.lit("problem"))
    )
    joined = settled.join(offered, on=["source", "source_id", "kind"], how="left")
    none = F.expr("CAST(array() AS array<struct<key:string,language:string,program:string>>)")
    joined = joined.withColumn("_offered", F.when(F.col("reason").isNull(), F.col("_offered")))
    joined = joined.withColumn("_offered", F.coalesce("_offered", none))
    more = F.transform("_offered", lambda s: F.struct(s["language"].alias("language"), s["program"].alias("program")))
    whole = F.col("problem").withField("solutions", F.array_distinct(F.concat(F.col("problem.solutions"), more)))
    joined = joined.withColumns({"problem": F.when(F.col("problem").isNotNull(), whole)})
    return joined.withColumns(
        {
            "problem_id": F.sha2(F.to_json(F.struct("source", "source_id", "problem")), 256),
            "row_keys": F.concat(F.array("key"), F.transform("_offered", lambda s: s["key"])),
        }
    ).drop("_offered", "_doubled", "_known", "_orphan", "_told")


def _refused(rows: DataFrame, when: str, reason: str, told: str) -> DataFrame:
    """The rows with a reason added where the column `when` is true."""
    from pyspark.sql import functions as F

    return rows.withColumns(
        {
            "reason": F.when(F.col(when), F.lit(reason)).otherwise(F.col("reason")),
            "detail": F.when(F.col(when), F.col(told)).otherwise(F.col("detail")),
        }
    )
