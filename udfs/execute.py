"""Programs run against cases inside a Spark worker: one row in, one execution out, whatever the program does.

A task holds one warm pool of boxes with a single slot, because Spark already runs one task per core.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import Language, toolchain
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import backend_for
from tasklake.sandbox_exec.verdict import Case, Result, Step, Verdict
from tasklake.udfs.spool import Measure, Row

# Raised when the way programs are run changes so that stored executions no longer hold.
EXECUTOR_VERSION = "4"
# The build's place before the first case.
BUILD = -1

STEP = (
    "struct<ordinal:int,verdict:string,exit_code:int,signal:int,cpu_s:double,wall_s:double,peak_memory_bytes:bigint,"
    "output_bytes:bigint,measured_by:string,stdout_head:string,stderr_tail:string>"
)
EXECUTION = (
    f"execution_id string, language string, verdict string, toolchain string, isolation string, "
    f"unenforced array<string>, detail string, steps array<{STEP}>"
)

log = logging.getLogger("tasklake.execute")


def tell(level: str) -> None:
    """What this worker does is told on its standard error, from the given level on."""
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("tasklake").setLevel(level.upper())


def probe_language(pack: Language, isolation: str) -> dict[str, str]:
    """The toolchain and the level that programs of the language would run with here, or why they cannot."""
    backend = backend_for(isolation)
    level = str(backend.NAME)
    try:
        return {"toolchain": toolchain(pack, backend), "isolation": level, "missing": ""}
    except TasklakeError as error:
        return {"toolchain": "", "isolation": level, "missing": str(error)}


@contextmanager
def executing(
    packs: Mapping[str, Language], limits: Limits, isolation: str, level: str, run_all: bool
) -> Iterator[Measure]:
    """A measure that runs rows of execution_id, language, program, checker, cases; its boxes end with the task."""
    tell(level)
    with Pool(slots=1, isolation=isolation) as pool:

        def execute(row: Mapping[str, Any]) -> Iterator[Row]:
            yield execution(pool, packs, limits, row, run_all)

        yield execute


def execution(pool: Pool, packs: Mapping[str, Language], limits: Limits, row: Mapping[str, Any], run_all: bool) -> Row:
    """What running the row's program showed; a failure of ours is an internal error, never a score."""
    log.info("executing %s in %s", row["execution_id"], row["language"])
    cases = [Case(_bytes(case["input"]), _bytes(case["output"])) for case in row["cases"]]
    try:
        job = Job(_bytes(row["program"]), packs[row["language"]], cases, limits, row["checker"])
        result = pool.done(job, run_all=run_all)
    except TasklakeError as error:
        return _failed(row, str(error))
    return _stored(row, result)


@contextmanager
def oracle_runs(
    packs: Mapping[str, Language], limits: Limits, isolation: str, level: str, attempts: int
) -> Iterator[Callable[[Mapping[str, Any], str, str], Row]]:
    """A judge of oracles: every run is fresh, and all must reproduce every expected output, identically."""
    tell(level)
    # Forks of one zygote share what it drew by lot when it started, such as the order of Python's sets.
    started = {name: replace(pack, zygote="", zygote_calls=()) for name, pack in packs.items()}
    with Pool(slots=1, isolation=isolation) as pool:

        def judged(row: Mapping[str, Any], language: str, program: str) -> Row:
            asked = {**row, "execution_id": row["oracle_id"], "language": language, "program": program}
            runs: list[Row] = []
            while len(runs) < attempts and all(run["verdict"] == Verdict.accepted for run in runs):
                runs.append(_guarded(pool, started if runs else packs, limits, asked))
            verdict, detail = _agreement(runs)
            kept = {name: row[name] for name in ("oracle_id", "task_id", "problem_id", "made_by")}
            shown = {"toolchain": runs[-1]["toolchain"], "isolation": runs[-1]["isolation"], "stderr_tail": detail}
            return {
                **kept,
                "language": language,
                "program": program,
                "verdict": verdict,
                "executed": len(runs),
                **shown,
            }

        yield judged


def _guarded(pool: Pool, packs: Mapping[str, Language], limits: Limits, row: Mapping[str, Any]) -> Row:
    if row["language"] not in packs:
        return _failed(row, f"no language pack is called {row['language']}")
    return execution(pool, packs, limits, row, run_all=False)


def _agreement(runs: Sequence[Row]) -> tuple[str, str]:
    """The verdict over all runs, and what to tell a person."""
    last = runs[-1]
    outputs = {tuple((step["stdout_head"], step["output_bytes"]) for step in run["steps"]) for run in runs}
    if last["verdict"] == Verdict.accepted and len(outputs) > 1:
        return str(Verdict.wrong_answer), "two runs gave different outputs"
    return last["verdict"], last["detail"]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8")


def _failed(row: Mapping[str, Any], detail: str) -> Row:
    return {
        "execution_id": row["execution_id"],
        "language": row["language"],
        "verdict": str(Verdict.internal_error),
        "toolchain": "",
        "isolation": "",
        "unenforced": [],
        "detail": detail,
        "steps": [],
    }


def _stored(row: Mapping[str, Any], result: Result) -> Row:
    steps = [_step(BUILD, result.build), *(_step(n, step) for n, step in enumerate(result.cases))]
    return {
        "execution_id": row["execution_id"],
        "language": row["language"],
        "verdict": str(result.verdict),
        "toolchain": result.toolchain,
        "isolation": result.isolation,
        "unenforced": list(result.unenforced),
        "detail": next((s["stderr_tail"] for s in steps if s["verdict"] not in ("accepted", "wrong_answer")), ""),
        "steps": steps,
    }


def _step(ordinal: int, step: Step) -> Row:
    return {
        "ordinal": ordinal,
        "verdict": str(step.verdict),
        "exit_code": step.exit_code,
        "signal": step.signal,
        "cpu_s": step.cpu_s,
        "wall_s": step.wall_s,
        "peak_memory_bytes": step.peak_memory_bytes,
        "output_bytes": step.output_bytes,
        "measured_by": step.measured_by,
        "stdout_head": step.stdout_head.decode("utf-8", "replace"),
        "stderr_tail": step.stderr_tail.decode("utf-8", "replace"),
    }
