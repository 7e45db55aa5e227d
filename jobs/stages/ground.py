"""Tasks are grounded by an oracle that reproduces every expected output in fresh runs, or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from tasklake.jobs import current
from tasklake.jobs.stage import Run, row_hash
from tasklake.udfs.execute import oracle_runs
from tasklake.udfs.reformulate import oracle_program
from tasklake.udfs.spool import Measure, Row

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

STAGE = "ground"
# How much of a program's own words a reason holds; the oracle's row has more.
SAID = 300
RUNS = (
    "oracle_id string, task_id string, problem_id string, made_by string, language string, program string, "
    "verdict string, toolchain string, isolation string, stderr_tail string, executed int"
)


def inputs(run: Run) -> DataFrame:
    """The current tasks with the solutions that may ground them."""
    from pyspark.sql import functions as F

    return current.groundings(run).withColumns({"key": F.col("task_id"), "subject": F.col("source_id")})


def outputs(run: Run) -> DataFrame:
    """The tasks that an oracle confirms and that are not refused."""
    from pyspark.sql import functions as F

    agreed = run.lake.read("oracles").where("agreed").select(F.col("task_id").alias("key"), "made_by").distinct()
    return agreed.join(run.rejects(STAGE), on=["key", "made_by"], how="left_anti")


def work(run: Run, news: DataFrame) -> None:
    """Every task has its oracles' runs stored; those that nothing confirms are rejects."""
    from pyspark.sql import functions as F

    on = ["task_id", "made_by"]
    problem = current.problems(run).select("problem_id", "style", "setup", "solutions")
    task = run.lake.read("tasks").select("task_id", "grammar", "entry_point", "statement")
    news = news.join(problem, on="problem_id").join(task, on="task_id")
    held = run.lake.read("oracles").select("oracle_id")
    offered = _offered(run, news).join(held, on="oracle_id", how="left_anti")
    opened = partial(grounding, *run.boxes(STAGE), run.recipe.ground.attempts)
    made = run.measure(STAGE, offered, opened, RUNS, keep="oracle_id")
    rows = made.where("verdict <> 'internal_error'").withColumns(
        {"agreed": F.col("verdict") == "accepted", "runs": F.lit(run.recipe.ground.attempts)}
    )
    run.lake.merge("oracles", rows)
    failed = made.where("verdict = 'internal_error'").groupBy(*on).agg(F.min("stderr_tail").alias("_ours"))
    run.reject(STAGE, _refused(news, run.lake.read("oracles"), failed))


def _offered(run: Run, news: DataFrame) -> DataFrame:
    """Each solution of each task beside the task's cases."""
    from pyspark.sql import functions as F

    cases = (
        run.lake.read("cases")
        .groupBy("task_id")
        .agg(F.array_sort(F.collect_list(F.struct("ordinal", "input", "output"))).alias("cases"))
    )
    each = news.withColumn("solution", F.explode("solutions")).join(cases, on="task_id")
    parts = [F.col(c) for c in ("task_id", "made_by", "solution.language", "solution.program")]
    return each.withColumn("oracle_id", row_hash(*parts)).drop("solutions")


def _refused(news: DataFrame, oracles: DataFrame, failed: DataFrame) -> DataFrame:
    """The tasks that no oracle confirms, each with its reason; beside one that confirms, others refuse nothing."""
    from pyspark.sql import functions as F

    on = ["task_id", "made_by"]
    shown = F.max(F.struct("verdict", "stderr_tail")).alias("_worst")
    seen = oracles.groupBy(*on).agg(F.bool_or("agreed").alias("_agreed"), F.count("*").alias("_tried"), shown)
    joined = news.join(seen, on=on, how="left").join(failed, on=on, how="left")
    reason = (
        F.when(F.coalesce("_agreed", F.lit(False)), F.lit(None))
        .when(F.col("_ours").isNotNull(), F.lit("internal_error"))
        .when(F.size("solutions") == 0, F.lit("no_oracle"))
        .otherwise(F.concat(F.lit("oracle_"), F.col("_worst.verdict")))
    )
    detail = (
        F.when(F.col("_ours").isNotNull(), F.col("_ours"))
        .when(F.size("solutions") == 0, F.lit("the problem comes without a solution, so nothing can confirm its cases"))
        .otherwise(
            F.concat(
                F.lit("none of "),
                F.col("_tried"),
                F.lit(" solutions reproduced the expected outputs: "),
                F.concat_ws(", ", "_worst.verdict", _last_line(F.col("_worst.stderr_tail"))),
            )
        )
    )
    told = joined.withColumns({"reason": reason, "detail": detail, "excerpt": F.substring("statement", 1, 300)})
    return told.where("reason IS NOT NULL")


def _last_line(text: Column) -> Column:
    """The last line that says something, or null: what a program says of its end stands there."""
    from pyspark.sql import functions as F

    lines = F.filter(F.split(text, r"\R"), lambda line: F.trim(line) != "")
    return F.substring(F.trim(F.try_element_at(lines, F.lit(-1))), 1, SAID)


@contextmanager
def grounding(packs: Mapping[str, Any], limits: Any, isolation: str, level: str, attempts: int) -> Iterator[Measure]:
    """Oracle runs, as a measure: the solution adapted to stdin/stdout, run `attempts` times in fresh boxes."""
    with oracle_runs(packs, limits, isolation, level, attempts) as judged:

        def ground(row: Mapping[str, Any]) -> Iterator[Row]:
            program = oracle_program(row, row["grammar"], row["entry_point"], row["solution"])
            yield judged(row, row["solution"]["language"], program)

        yield ground
