"""What is current: the one place that knows how a superseded row leaves.

A problem belongs to (source, source_id) and is current while its source holds it. Everything made from it is current
while its own input is current and it was made by the rules in force: each function below yields the keys of its table
narrowed to rows whose parents are current and whose fingerprint is today's. Facts stay in the tables for time travel.

Each set is pinned when it is first asked for, which is after the stage that makes it: a chain of joins that is planned
anew by every reader took Spark minutes, its sets written down once take a second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from tasklake.jobs import corpus, fingerprints
from tasklake.jobs.llm import solving
from tasklake.jobs.stage import Run, row_hash

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Enough of an answer that nobody asked for to see what it is.
EXCERPT = 300
# What identifies a task and decides how its candidates are run.
TASK = ("task_id", "problem_id", "source", "source_id", "checker", "cases_digest")


def pinned(function: Callable[[Run], DataFrame]) -> Callable[[Run], DataFrame]:
    """The set as it was when this run first asked for it."""

    @wraps(function)
    def once(run: Run) -> DataFrame:
        return run.pin(function.__name__, lambda: function(run))

    return once


def problems(run: Run) -> DataFrame:
    """The problems that the recipe's sources hold now, with all columns."""
    from pyspark.sql import functions as F

    return run.lake.read("problems").where(F.col("current") & F.col("source").isin(run.sources))


@pinned
def tasks(run: Run) -> DataFrame:
    """The tasks made from current problems by the reformulator in force."""
    from pyspark.sql import functions as F

    made = run.lake.read("tasks").where(F.col("made_by") == fingerprints.reformulate(run)).select(*TASK)
    return made.join(problems(run).select("problem_id"), on="problem_id", how="left_semi")


@pinned
def groundings(run: Run) -> DataFrame:
    """Each current task with the fingerprint of grounding it."""
    from pyspark.sql import functions as F

    known = problems(run).select("problem_id", fingerprints.ground(run, F.col("solutions")).alias("made_by"))
    return tasks(run).join(known, on="problem_id")


@pinned
def grounded(run: Run) -> DataFrame:
    """The current tasks that an oracle confirms and that were not refused."""
    from pyspark.sql import functions as F

    on = ["task_id", "made_by"]
    agreed = run.lake.read("oracles").where("agreed").select(*on)
    refused = run.rejects("ground").select(F.col("key").alias("task_id"), "made_by")
    return groundings(run).join(agreed, on=on, how="left_semi").join(refused, on=on, how="left_anti").drop("made_by")


@pinned
def asked(run: Run) -> DataFrame:
    """Each recorded answer that is asked for now, by its grounded task, and each that nothing can ask for: `unasked`.

    An answer to a problem that became no grounded task is neither: why there is no task is told by that refusal.
    """
    from pyspark.sql import functions as F

    if run.recipe.propose.provider == "llm":
        return _wanted(run)
    on = ["source", "source_id"]
    task = grounded(run).select("task_id", "problem_id", *on)
    held = problems(run).select(*on, F.lit(True).alias("_held"))
    known = corpus.answers(run).join(held, on=on, how="left").join(task, on=on, how="left")
    made = row_hash(F.lit(fingerprints.propose(run)), F.col("answer"), F.col("model"))
    keyed = known.withColumns(
        {
            "unasked": _unasked(run),
            "key": row_hash(*map(F.col, ("task_id", "language", "sample"))),
            "made_by": made,
            "excerpt": F.substring("answer", 1, EXCERPT),
        }
    )
    names = ("key", "made_by", "task_id", "problem_id", *on, "language", "sample", "location", "excerpt", "unasked")
    return keyed.where("task_id IS NOT NULL OR unasked IS NOT NULL").select(*names)


def _wanted(run: Run) -> DataFrame:
    """Each grounded task in each sample and each language that can be run: what a model is asked for."""
    from pyspark.sql import functions as F

    task = grounded(run).select("task_id", "problem_id", "source", "source_id")
    samples = F.explode(F.sequence(F.lit(0), F.lit(run.samples - 1))).alias("sample")
    each = task.crossJoin(F.broadcast(solving.languages(run).drop("notes"))).select("*", samples)
    return each.withColumns(
        {
            "key": row_hash(*map(F.col, ("task_id", "language", "sample"))),
            "made_by": row_hash(F.lit(fingerprints.propose(run)), F.col("language_made_by")),
            **{name: F.lit(None).cast("string") for name in ("location", "excerpt", "unasked")},
        }
    ).drop("language_made_by")


def _unasked(run: Run) -> Column:
    """Why nothing can ask for an answer, or null."""
    from pyspark.sql import functions as F

    # A plan looks at tables that no run may have filled: what is still to be read is not missing.
    sources = _filled(run) if run.dry else run.sources
    names = f" (the sources are {', '.join(run.sources)})", f" (the languages are {', '.join(run.languages)})"
    foreign, language = ~F.col("source").isin(run.sources), ~F.col("language").isin(run.languages)
    beyond, nowhere = ~F.col("sample").between(0, run.samples - 1), F.col("source").isin(sources) & F.isnull("_held")
    told = F.when(foreign, F.concat(F.lit("the recipe reads no source "), F.col("source"), F.lit(names[0])))
    told = told.when(language, F.concat(F.lit("the recipe asks for no "), F.col("language"), F.lit(names[1])))
    told = told.when(beyond, F.lit(f"the recipe asks for the samples 0 to {run.samples - 1} (propose.samples)"))
    return told.when(nowhere, F.concat(F.lit("the source holds no problem "), F.col("source_id")))


def _filled(run: Run) -> list[str]:
    return [str(row["source"]) for row in problems(run).select("source").distinct().collect()]


def requests(run: Run) -> DataFrame:
    """What is asked for now: each grounded task in each language and sample that an answer is recorded for."""
    return asked(run).where("unasked IS NULL").drop("unasked", "location", "excerpt")


def unasked(run: Run) -> DataFrame:
    """The recorded answers that nothing can ask for, each with the reason: a misspelt name would vanish otherwise."""
    from pyspark.sql import functions as F

    place = [F.col(name) for name in ("source", "source_id", "language", "sample")]
    found = asked(run).where("unasked IS NOT NULL")
    # A reject belongs to one of the recipe's sources: by these a run finds its own.
    known = F.when(F.col("source").isin(run.sources), F.col("source")).otherwise(F.lit(run.sources[0]))
    return found.withColumns(
        {
            "key": row_hash(F.lit("answer"), *place),
            "made_by": row_hash(F.col("made_by"), F.col("unasked")),
            "source_id": F.when(F.col("source").isin(run.sources), F.col("source_id")).otherwise(
                F.concat_ws("/", "source", "source_id")
            ),
            "source": known,
        }
    )


@pinned
def candidates(run: Run) -> DataFrame:
    """The candidates that answer what is asked for now."""
    from pyspark.sql import functions as F

    asked = requests(run).select(F.col("key").alias("request_key"), "made_by", "source", "source_id")
    held = run.lake.read("candidates").select(
        "candidate_id", "request_key", "made_by", "task_id", "problem_id", "language"
    )
    return held.join(asked, on=["request_key", "made_by"]).drop("request_key", "made_by")


@pinned
def executions(run: Run) -> DataFrame:
    """Each current candidate with the execution that shows its verdict, and whether its language is offered."""
    from pyspark.sql import functions as F

    program = run.lake.read("candidates").select("candidate_id", "program")
    task = grounded(run).select("task_id", "checker", "cases_digest")
    made = F.broadcast(fingerprints.execution_frame(run).drop("toolchain", "isolation", "ground_made_by"))
    joined = candidates(run).join(program, on="candidate_id").join(task, on="task_id").join(made, on="language")
    parts = [F.col(c) for c in ("program", "language", "execution_made_by", "checker", "cases_digest")]
    return joined.withColumn("execution_id", row_hash(*parts, F.lit(0))).drop("program", "cases_digest")


@pinned
def verdicts(run: Run) -> DataFrame:
    """The verdicts of current candidates on their current execution by the judge in force."""
    from pyspark.sql import functions as F

    made = run.lake.read("verdicts").where(F.col("made_by") == fingerprints.judge(run))
    now = executions(run).select("candidate_id", "execution_id", "source", "source_id")
    return made.select("verdict_id", "candidate_id", "execution_id").join(now, on=["candidate_id", "execution_id"])


@pinned
def samples(run: Run) -> DataFrame:
    """The samples whose verdict is current, let through by the gates in force."""
    from pyspark.sql import functions as F

    made = run.lake.read("samples").where(F.col("made_by") == fingerprints.gate(run)).select("sample_id", "verdict_id")
    return made.join(verdicts(run).select("verdict_id"), on="verdict_id", how="left_semi")
