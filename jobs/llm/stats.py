"""What models were asked and what it took, from the tables and without a JVM."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tasklake.jobs.lake import look

SPENT = """
SELECT stage, model, count(DISTINCT request_key) AS requests,
  sum(CASE WHEN answered THEN 1 ELSE 0 END) AS answered, sum(CASE WHEN answered THEN 0 ELSE 1 END) AS failures,
  sum(calls) AS calls, sum(prompt_tokens) AS prompt_tokens, sum(cached_tokens) AS cached_tokens,
  sum(answer_tokens) AS answer_tokens, sum(cost_usd) AS usd,
  approx_percentile_cont(CASE WHEN answered AND executor = 'live' THEN latency_s END, 0.5) AS latency_p50,
  approx_percentile_cont(CASE WHEN answered AND executor = 'live' THEN latency_s END, 0.99) AS latency_p99
FROM llm_responses GROUP BY stage, model ORDER BY stage, model
"""
FAILED = """
SELECT stage, model, error_class, count(*) AS n FROM llm_responses WHERE NOT answered
GROUP BY stage, model, error_class ORDER BY n DESC
"""


def stats(lake: str) -> list[dict[str, Any]]:
    """One row for each stage and model: requests, failures by class, calls, tokens, money, latency, hits."""
    rows: list[dict[str, Any]] = look.query(lake, SPENT).to_pylist()
    failures: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in look.query(lake, FAILED).to_pylist():
        failures[row["stage"], row["model"]][row["error_class"]] = row["n"]
    asked, known = _asked(lake)
    for row in rows:
        place = row["stage"], row["model"]
        row["errors"] = failures[place]
        row["asked"], row["hits"] = asked[place], known[place]
    return rows


def _asked(lake: str) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """How many requests all runs asked for, and how many of them were stored already."""
    asked: dict[tuple[str, str], int] = defaultdict(int)
    known: dict[tuple[str, str], int] = defaultdict(int)
    for run in look.query(lake, "SELECT llm FROM runs").to_pylist():
        for each in run["llm"] or ():
            asked[each["stage"], each["model"]] += each["asked"]
            known[each["stage"], each["model"]] += each["known"]
    return asked, known
