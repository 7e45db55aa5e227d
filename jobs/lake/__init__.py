"""The lake: the only code that reads or writes Delta.

`Lake` reads and writes through Spark, `look` reads without a JVM, `lease` keeps writers apart, `ddl` says what a table
must be, `spool` keeps what workers have finished.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tasklake.jobs.lake import ddl, look
from tasklake.jobs.lake.lease import Lease
from tasklake.jobs.lake.uri import LakeError, LakeUri
from tasklake.quality.tables import Table, all_tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Lake", "LakeError", "LakeUri"]

# A commit can lose against one that a killed driver's JVM still finished; the anti-join before the next try makes it
# safe.
COMMIT_TRIES = 3
# Columns that say when a row was written, stamped here so that no stage can forget them.
STAMPS = ("run_id", "made_at")


class Lake:
    """All tables below one root, through one Spark session, written by one run under one lease."""

    def __init__(self, spark: SparkSession, uri: LakeUri, *, lease: Lease | None = None, run_id: str = ""):
        self.spark = spark
        self.uri = uri
        self.lease = lease
        self.run_id = run_id
        self._missing: set[str] = set()

    def target(self, table: str) -> str:
        """The table as SQL names it."""
        # A backtick of the path itself is doubled inside of backticks.
        place = self.uri.child("tables", table).spark().replace("`", "``")
        return f"delta.`{place}`"

    def exists(self, table: str) -> bool:
        """True when the table has a log."""
        return self.uri.child("tables", table, "_delta_log").exists()

    def ensure(self) -> None:
        """Every table exists as the code defines it; drift is told and nothing is changed."""
        for table in all_tables().values():
            if not self.exists(table.name):
                self._sql(ddl.create(table, self.target(table.name)))
        drift = self.drift()
        if drift:
            told = "; ".join(f"{d.table}: {d.what}" for d in drift)
            raise LakeError(
                f"lake {self.uri} was written by another version of the code: {told}. Run `tasklake migrate`."
            )

    def drift(self) -> list[ddl.Difference]:
        """Every difference between live tables and their definitions."""
        found = []
        for table in all_tables().values():
            if self.exists(table.name):
                found += ddl.differences(table, self.target(table.name), *self._live(table.name))
        return found

    def migrate(self) -> list[dict[str, str]]:
        """Additive drift is mended; anything else is refused before any change, each with its reason."""
        drift = self.drift()
        refused = [d for d in map(self._weighed, drift) if not d.mend]
        if refused:
            told = "; ".join(f"{d.table}: {d.what} ({d.why_not})" for d in refused)
            raise LakeError(f"lake {self.uri} cannot be migrated: {told}")
        for difference in drift:
            self._sql(*difference.mend)
        missing = [t for t in all_tables() if not self.exists(t)]
        self.ensure()
        made = [{"table": t, "change": "created"} for t in missing]
        return [{"table": d.table, "change": d.what} for d in drift] + made

    def _weighed(self, difference: ddl.Difference) -> ddl.Difference:
        """The difference, not to be mended where rows of the table break the rule that would be added."""
        if not difference.rule or not difference.mend:
            return difference
        rows = self.read(difference.table)
        if set(ddl.words(difference.rule)) & set(all_tables()[difference.table].names) - set(rows.columns):
            # The column itself is missing and will be null, which Delta takes for a broken rule.
            broken = rows.count()
        else:
            broken = rows.where(f"NOT coalesce({difference.rule}, false)").count()
        why_not = f"{broken} rows break the rule {difference.rule}"
        return replace(difference, mend=(), why_not=why_not) if broken else difference

    def read(self, table: str, version: int | None = None) -> DataFrame:
        """The table, now or as of a version; empty with the right columns where it was never written."""
        definition = all_tables()[table]
        if not self.exists(table):
            return self.spark.createDataFrame([], definition.schema())
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(self.uri.child("tables", table).spark())

    def version(self, table: str) -> int | None:
        """The table's newest version, or None before the first write."""
        logs = self.uri.child("tables", table, "_delta_log").files(".json")
        numbers = [int(m[1]) for log in logs if (m := re.search(r"/(\d{20})\.json$", log.path))]
        return max(numbers, default=None)

    def versions(self) -> dict[str, int]:
        """The newest version of every table that exists."""
        found = {t: self.version(t) for t in all_tables()}
        return {t: v for t, v in found.items() if v is not None}

    def made_at(self, table: str, version: int) -> float | None:
        """When a version was committed, in seconds since 1970, or None when its log entry is gone."""
        history = self.spark.sql(f"DESCRIBE HISTORY {self.target(table)}").where(f"version = {version}").first()
        return history["timestamp"].timestamp() if history else None

    def optimize(self, table: str) -> dict[str, Any]:
        """The table's small files are one where they can be."""
        before = self.version(table)
        self._sql(f"OPTIMIZE {self.target(table)}")
        return {"table": table, "version_before": before, "version": self.version(table)}

    def vacuum(self, table: str, hours: int) -> dict[str, Any]:
        """Files that no version younger than so many hours needs are gone."""
        place = self.uri.child("tables", table)
        before = len(place.files(".parquet"))
        self._sql(f"VACUUM {self.target(table)} RETAIN {hours} HOURS")
        return {"table": table, "retained_hours": hours, "files_removed": before - len(place.files(".parquet"))}

    def pin(self, name: str, rows: DataFrame) -> DataFrame:
        """The rows read back from storage: their plan is short, and a lost executor loses none of them."""
        place = self.uri.child("_spool", "_pinned", self.run_id, name)
        rows.write.mode("overwrite").parquet(place.spark())
        return self.spark.read.schema(rows.schema).parquet(place.literal())

    def unpin(self) -> None:
        """Nothing pinned is left, by this run or by a killed one."""
        self.uri.child("_spool", "_pinned").remove()

    def merge(self, table: str, rows: DataFrame) -> int:
        """Every row is in the table exactly once; the count of new or changed ones. None of them: no commit."""
        from pyspark.errors import PySparkException

        definition = all_tables()[table]
        for attempt in range(COMMIT_TRIES):
            news = self._news(definition, self._stamped(definition, rows)).persist()
            try:
                count = news.count()
                if count:
                    self._commit(definition, news)
                return count
            except PySparkException as error:
                if "Concurrent" not in type(error).__name__ + str(error) or attempt == COMMIT_TRIES - 1:
                    raise
            finally:
                news.unpersist()
        raise AssertionError("unreachable")

    def _news(self, table: Table, rows: DataFrame) -> DataFrame:
        """The rows whose key, or whose key and content, the table does not hold."""
        from pyspark.sql import functions as F

        on = list(table.key)
        rows = rows.dropDuplicates(on)
        held = self.read(table.name)
        if not table.updates:
            return rows.join(held.select(*on), on=on, how="left_anti")
        watched = [c for c in table.content if c not in on] + list(table.watched)
        content = (
            F.sha2(F.to_json(F.struct(*watched)), 256).alias("_content") if watched else F.lit("").alias("_content")
        )
        news = rows.select("*", content).join(held.select(*on, content), on=[*on, "_content"], how="left_anti")
        return news.select(*table.names)

    def _stamped(self, table: Table, rows: DataFrame) -> DataFrame:
        """The table's columns in order and type, with the run and the time."""
        from pyspark.sql import functions as F

        if "made_at" in table.names:
            rows = rows.withColumns({"run_id": F.lit(self.run_id), "made_at": F.current_timestamp()})
        return rows.select(*(F.col(c.name).cast(c.type).alias(c.name) for c in table.columns))

    def _commit(self, table: Table, news: DataFrame) -> None:
        """One MERGE, by whoever still holds the lease."""
        if self.lease:
            self.lease.check()
        view = f"_news_{table.name}"
        news.createOrReplaceTempView(view)
        on = " AND ".join(f"t.`{k}` = s.`{k}`" for k in table.key)
        update = "WHEN MATCHED THEN UPDATE SET *" if table.updates else ""
        try:
            self._sql(
                f"MERGE INTO {self.target(table.name)} t USING {view} s ON {on} {update} WHEN NOT MATCHED THEN INSERT *"
            )
        finally:
            self.spark.catalog.dropTempView(view)

    def _live(self, table: str) -> tuple[dict[str, str], dict[str, str]]:
        """The live columns with their types, and the live properties: from the log, where Spark takes seconds."""
        from pyspark.sql.types import StructType

        schema, properties = look.definition(table, self.uri.child("tables", table))
        return {f.name: f.dataType.simpleString() for f in StructType.fromJson(schema).fields}, properties

    def _sql(self, *statements: str) -> None:
        for statement in statements:
            if self.lease:
                self.lease.check()
            self.spark.sql(statement)
