"""Fingerprints: what decides each stage's outcome, so that a changed rule is judged again and nothing else is.

"Known" means the input key together with the fingerprint. Toolchains are asked where programs run, on a worker.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from tasklake.jobs.llm import requests
from tasklake.jobs.stage import Run, fingerprint, row_hash
from tasklake.quality.gates import gate_fingerprint
from tasklake.udfs.execute import EXECUTOR_VERSION, probe_language
from tasklake.udfs.llm.parse import PARSER_VERSION
from tasklake.udfs.reformulate import REFORMULATOR_VERSION
from tasklake.udfs.spool import Measure, Row

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Raised when the rule that turns oracle runs into grounded or refused changes.
GROUND_VERSION = "2"
# Raised when the way from a recorded answer to a candidate changes.
PROPOSE_VERSION = "2"
# Raised when the judge's precedence or its reading of stored measures changes.
JUDGE_VERSION = "1"
# Raised when the content of a release is put together differently.
RELEASE_VERSION = "1"

PROBE = (
    "language string, toolchain string, isolation string, missing string, execution_made_by string, "
    "ground_made_by string"
)


def reformulate(run: Run) -> str:
    """What decides how a problem becomes a task."""
    return fingerprint("reformulate", REFORMULATOR_VERSION, run.recipe.reformulate.model_dump(mode="json"))


def ground(run: Run, solutions: Column) -> Column:
    """What decides whether a task is grounded: the rule, and the toolchains of its solutions' languages."""
    from pyspark.sql import functions as F

    pairs = [F.lit(text) for row in _probe(run) for text in (row["language"], row["ground_made_by"])]
    rule = fingerprint("ground", GROUND_VERSION, run.recipe.ground.attempts)
    made = F.transform(solutions, lambda s: F.try_element_at(F.create_map(*pairs), s["language"]))
    return F.substring(row_hash(F.lit(rule), F.to_json(F.array_sort(F.array_distinct(made)))), 1, 16)


def propose(run: Run) -> str:
    """What decides how an answer becomes a candidate, the answer itself left out."""
    return fingerprint("propose", PROPOSE_VERSION)


def asking(run: Run, template: str) -> str:
    """What decides the value of an answer: template, model, parameters, how often it is asked again, and the parser."""
    llm = requests.model(run)
    return fingerprint(
        "ask", requests.template(run, template).hash, llm.identity, llm.asked, llm.repairs, PARSER_VERSION
    )


def judge(run: Run) -> str:
    """What decides a verdict from stored measures."""
    return fingerprint("judge", JUDGE_VERSION)


def gate(run: Run) -> str:
    """What decides which verdicts become samples."""
    return fingerprint("gate", gate_fingerprint(run.gates), run.recipe.gate.model_dump(mode="json"))


def release(run: Run) -> str:
    """What decides the content of a release."""
    return fingerprint("release", RELEASE_VERSION)


def execution_frame(run: Run) -> DataFrame:
    """For every language pack: language, execution_made_by, toolchain, isolation, and why it is missing if it is."""
    return run.spark.createDataFrame([tuple(row.values()) for row in _probe(run)], PROBE)


def _probe(run: Run) -> list[dict[str, Any]]:
    """Asked once per run, on a worker: the driver may have other toolchains than the machines that run programs."""
    if "probe" not in run.memo:
        frame = run.spark.createDataFrame([(name,) for name in sorted(run.packs)], "language string")
        rows = run.direct(
            frame.repartition(1), partial(_probing, dict(run.packs), _rules(run), run.recipe.execute.isolation), PROBE
        ).collect()
        run.memo["probe"] = [row.asDict() for row in sorted(rows, key=lambda r: str(r["language"]))]
    return list(run.memo["probe"])


def _rules(run: Run) -> dict[str, Any]:
    """What decides the runs of each stage beside program, language and cases."""
    return {
        "execute": {**asdict(run.limits_of("execute")), "run_all": run.recipe.execute.run_all},
        "ground": asdict(run.limits_of("ground")),
    }


@contextmanager
def _probing(packs: Mapping[str, Any], rules: Mapping[str, Any], isolation: str) -> Iterator[Measure]:
    # Dozens of toolchains tell their versions, some of them only after a second.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        asked = {name: threads.submit(probe_language, pack, isolation) for name, pack in packs.items()}

        def probe(row: Mapping[str, Any]) -> Iterator[Row]:
            pack, found = packs[row["language"]], asked[row["language"]].result()
            here = (pack.digest(), found["toolchain"], found["isolation"])
            made = {
                name: fingerprint(stage, EXECUTOR_VERSION, *here, rules[stage], found["missing"] != "")
                for stage, name in (("execute", "execution_made_by"), ("ground", "ground_made_by"))
            }
            yield {"language": row["language"], **found, **made}

        yield probe
