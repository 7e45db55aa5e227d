"""Every gate tells its own examples apart when its SQL runs in Spark, on columns typed as in the tables."""

from __future__ import annotations

from string import Template

import pytest

from tasklake.quality.gates import Gate, all_gates
from tasklake.quality.tables import all_tables

pytestmark = pytest.mark.spark

TYPES = {c.name: c.type for name in ("tasks", "candidates", "verdicts") for c in all_tables()[name].columns}
# What a recipe asks for where a gate takes a number from it.
VALUES = {"min_cases": "2"}


@pytest.mark.parametrize("gate", all_gates().values(), ids=lambda gate: gate.name)
def test_a_gate_passes_and_fails_its_own_examples(spark, gate: Gate):
    """Rows that pass make the rule true; rows that fail make it false, with a sentence that says why."""
    from pyspark.sql import functions as F

    names = sorted(gate.passes[0])
    rows = [tuple(row[name] for name in names) for row in (*gate.passes, *gate.fails)]
    frame = spark.createDataFrame(rows, ", ".join(f"{name} {TYPES[name]}" for name in names))
    holds = F.expr(Template(gate.holds).substitute(VALUES)).alias("holds")
    judged = frame.select(holds, F.expr(gate.reason).alias("reason")).collect()
    assert [row["holds"] for row in judged] == [True] * len(gate.passes) + [False] * len(gate.fails)
    assert all(row["reason"].strip() for row in judged[len(gate.passes) :])
