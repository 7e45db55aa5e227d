"""The spool of a stage: what its workers have finished and no table holds yet."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from tasklake.udfs.spool import OpenMeasure, direct, spooled

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from tasklake.jobs.lake import Lake

# How often a person is told how far a long stage is.
TELL_S = 2.0


class Spool:
    """Segments below `_spool/<stage>` of the lake, with the columns of a schema string."""

    def __init__(self, spark: SparkSession, lake: Lake, stage: str, schema: str):
        self.spark = spark
        self.place = lake.uri.child("_spool", stage)
        self.schema = schema

    def read(self, distinct: str | None = None) -> DataFrame:
        """Everything finished so far; once per value of `distinct`, for a task that Spark ran twice spools twice."""
        if not self.place.files(".parquet"):
            return self.spark.createDataFrame([], self.schema)
        rows = self.spark.read.schema(self.schema).parquet(self.place.literal())
        return rows.dropDuplicates([distinct]) if distinct else rows

    def fill(self, rows: DataFrame, open_measure: OpenMeasure, keep: str | None, told: Callable[[int], None]) -> int:
        """Every row is measured and spooled; the count of what this call finished, whatever Spark did again."""
        before = self.finished()
        function = spooled(open_measure, self.place.bucket, self.place.path, self._arrow(), keep)
        ended = threading.Event()
        teller = threading.Thread(target=self._tell, args=(before, told, ended), daemon=True)
        teller.start()
        try:
            rows.mapInArrow(function, "rows bigint").collect()
        finally:
            ended.set()
            teller.join()
        return self.finished() - before

    def direct(self, rows: DataFrame, open_measure: OpenMeasure) -> DataFrame:
        """What the measure would make of the rows, computed whenever it is read and never stored."""
        return rows.mapInArrow(direct(open_measure, self._arrow()), self.schema)

    def finished(self) -> int:
        """How many rows lie in segments, read from their names."""
        names = (place.path for place in self.place.files(".parquet"))
        return sum(int(m[1]) for name in names if (m := re.search(r"seg-(\d+)-", name)))

    def clear(self) -> None:
        """No segment is left."""
        self.place.remove()

    def _tell(self, before: int, told: Callable[[int], None], ended: threading.Event) -> None:
        while not ended.wait(TELL_S):
            told(self.finished() - before)

    def _arrow(self) -> pa.Schema:
        from pyspark.sql.pandas.types import to_arrow_schema

        return to_arrow_schema(self.spark.createDataFrame([], self.schema).schema)
