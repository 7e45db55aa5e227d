"""Looking after a lake: questions in SQL, migration, compaction, and removal of files that no release needs."""

from __future__ import annotations

import contextlib
import json
import re
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tasklake.jobs.config import Settings, UsageError
from tasklake.jobs.lake import Lake
from tasklake.jobs.lake.ddl import KEPT_DAYS, quoted
from tasklake.jobs.lake.lease import Lease
from tasklake.jobs.lake.uri import existing
from tasklake.jobs.session import session
from tasklake.jobs.views import VIEWS, View
from tasklake.quality.tables import all_tables
from tasklake.sandbox_exec.documents import nearest

if TYPE_CHECKING:
    import pyarrow as pa

# What the tables themselves promise to readers of an older version; Delta refuses to remove files sooner.
LEAST_HOURS = KEPT_DAYS * 24
# How a question begins, after blanks, brackets and comments: OPTIMIZE t in brackets would be read as a table with an
# alias, and run as what it says.
QUESTION = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|WITH|VALUES|FROM|TABLE)\b", re.I | re.S)


def sql(statement: str, settings: Settings) -> pa.Table:
    """The answer to a SELECT over tables of the lake and views, by name; VERSION AS OF works, changing does not."""
    from pyspark.errors import PySparkException

    uri = existing(settings.lake)
    query = statement.strip().rstrip(";")
    if not QUESTION.match(query):
        raise UsageError("cannot be answered: only a question can, SELECT …, WITH …, VALUES … or FROM …")
    with session(settings, uri) as spark, _tables_by_name(Lake(spark, uri), query, settings):
        try:
            # Only a query can stand in brackets: this refuses every statement that would change something.
            names = spark.sql(f"SELECT * FROM (\n{query}\n)").schema.names
            if len(set(names)) < len(names):
                raise UsageError(
                    f"cannot be answered: two columns have one name ({', '.join(names)}); name them apart with AS"
                )
            return spark.sql(query).toArrow()
        except PySparkException as error:
            said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise UsageError(f"cannot be answered: {said} (tables: {', '.join((*all_tables(), *VIEWS))})") from None


@contextlib.contextmanager
def _tables_by_name(lake: Lake, query: str, settings: Settings) -> Iterator[None]:
    """What the query names stands in a schema of its own, which is gone afterwards; the files of tables stay.

    The session may be one that a platform keeps, with tables of these names, or one that has looked at another lake.
    """
    spark = lake.spark
    before, own = spark.catalog.currentDatabase(), f"tasklake_{uuid.uuid4().hex[:12]}"
    spark.sql(f"CREATE SCHEMA {own}")
    try:
        spark.catalog.setCurrentDatabase(own)
        for view in _named(query, VIEWS):
            spark.sql(_creation(VIEWS[view], settings))
        for table in _named(query, all_tables()):
            if lake.exists(table):
                place = quoted(lake.uri.child("tables", table).spark())
                spark.sql(f"CREATE TABLE `{table}` USING delta LOCATION {place}")
        yield
    finally:
        spark.catalog.setCurrentDatabase(before)
        spark.sql(f"DROP SCHEMA {own} CASCADE")


def _named(query: str, known: Iterable[str]) -> list[str]:
    words = set(re.findall(r"\w+", query.lower()))
    return [name for name in known if name in words]


def _creation(view: View, settings: Settings) -> str:
    """The statement that makes the view: its rows stand in it, so that nothing has to be stored for it."""
    rows = quoted(json.dumps(view.rows(settings)))
    return f"CREATE VIEW `{view.name}` AS SELECT inline(from_json({rows}, {quoted(view.schema)}))"


def migrate(settings: Settings) -> list[dict[str, str]]:
    """The lake has the layout of this version of the code, or nothing changed and the reason is told."""
    uri = existing(settings.lake)
    with Lease(uri, "tasklake migrate") as lease, session(settings, uri) as spark:
        return Lake(spark, uri, lease=lease).migrate()


def optimize(settings: Settings, tables: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Small files of the tables are compacted."""
    wanted = _known(tables)
    uri = existing(settings.lake)
    with Lease(uri, "tasklake optimize") as lease, session(settings, uri) as spark:
        lake = Lake(spark, uri, lease=lease)
        return [lake.optimize(table) for table in wanted if lake.exists(table)]


def vacuum(settings: Settings, retain_hours: int = LEAST_HOURS, keep_releases: int = 3) -> list[dict[str, Any]]:
    """Files that no version younger than `retain_hours`, nor any input of the newest releases, needs are removed."""
    if retain_hours < LEAST_HOURS:
        raise UsageError(
            f"--retain-hours {retain_hours} is less than {LEAST_HOURS}: readers of an older version would be cut off"
        )
    uri = existing(settings.lake)
    with Lease(uri, "tasklake vacuum") as lease, session(settings, uri) as spark:
        lake = Lake(spark, uri, lease=lease)
        releases = lake.read("releases").orderBy("made_at", ascending=False).limit(keep_releases).collect()
        done = []
        for table in all_tables():
            if lake.exists(table):
                needed = [r["input_versions"].get(table) for r in releases]
                oldest = min((v for v in needed if v is not None), default=None)
                hours = max(retain_hours, _age_hours(lake, table, oldest))
                done.append(lake.vacuum(table, hours) | {"protects_version": oldest})
        return done


def _age_hours(lake: Lake, table: str, version: int | None) -> int:
    """How old the version is in whole hours, rounded up so that nothing it needs is removed."""
    made = lake.made_at(table, version) if version is not None else None
    return 0 if made is None else int((time.time() - made) // 3600) + 1


def _known(tables: Sequence[str]) -> Sequence[str]:
    for table in tables:
        if table not in all_tables():
            right = nearest(table, all_tables())
            hint = f"did you mean {right}? " if right else ""
            raise UsageError(f"no table is called {table}; {hint}Tables: {', '.join(all_tables())}")
    return tables or list(all_tables())
