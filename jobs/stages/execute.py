"""Candidates are run against the cases of their task; what each step showed is stored once, by content."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tasklake.jobs import current
from tasklake.jobs.stage import Run
from tasklake.udfs.execute import EXECUTION, executing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAGE = "execute"


def inputs(run: Run) -> DataFrame:
    """The distinct executions that show the verdicts of current candidates."""
    from pyspark.sql import functions as F

    once = current.executions(run).dropDuplicates(["execution_id"])
    subject = F.concat_ws(" ", "source_id", "language")
    return once.withColumns({"key": F.col("execution_id"), "made_by": F.col("execution_made_by"), "subject": subject})


def outputs(run: Run) -> DataFrame:
    """The executions that are stored: each has a build, at ordinal -1."""
    from pyspark.sql import functions as F

    return run.lake.read("case_verdicts").where("ordinal = -1").select(F.col("execution_id").alias("key"), "made_by")


def work(run: Run, news: DataFrame) -> None:
    """Every execution is stored step by step, or is a reject: no toolchain here, or a failure of ours."""
    from pyspark.sql import functions as F

    missing = F.concat(F.lit("language "), F.col("language"), F.lit(" is not offered here: "), F.col("missing"))
    unoffered = news.where("missing <> ''").withColumns({"reason": F.lit("language_not_offered"), "detail": missing})
    run.reject(STAGE, unoffered)
    known = news.select("execution_id", "key", "made_by", "source", "subject")
    opened = partial(executing, *run.boxes(STAGE), run.recipe.execute.run_all)
    made = run.measure(STAGE, _with_cases(run, news.where("missing = ''")), opened, EXECUTION, keep="execution_id")
    rows = made.join(known, on="execution_id")
    good = rows.where("verdict <> 'internal_error'").withColumn("step", F.explode("steps"))
    carried = ("execution_id", "language", "toolchain", "isolation", "unenforced", "made_by")
    run.lake.merge("case_verdicts", good.select(*carried, "step.*"))
    ours = {"reason": F.lit("internal_error"), "detail": F.col("detail")}
    run.reject(STAGE, rows.where("verdict = 'internal_error'").withColumns(ours))


def _with_cases(run: Run, news: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    each = F.array_sort(F.collect_list(F.struct("ordinal", "input", "output"))).alias("cases")
    cases = run.lake.read("cases").groupBy("task_id").agg(each)
    program = run.lake.read("candidates").select("candidate_id", "program")
    fields = ("execution_id", "candidate_id", "task_id", "language", "checker")
    return news.select(*fields).join(program, on="candidate_id").join(cases, on="task_id")
