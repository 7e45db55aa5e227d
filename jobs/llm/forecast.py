"""What a run would ask of models: calls, tokens, money and time, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasklake.jobs import current
from tasklake.jobs.llm import requests, solving
from tasklake.jobs.recipe_llm import Llm
from tasklake.jobs.stage import Run
from tasklake.udfs.llm.providers import load_provider
from tasklake.udfs.llm.requests import ANSWER_TOKENS
from tasklake.udfs.llm.terms import Purse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Assumed where nothing is known yet: a prompt with a statement, the seconds of an answer of some hundred tokens.
PROMPT_TOKENS = 1000
LATENCY_S = 10.0
NOTHING: dict[str, Any] = {"calls": 0, "stored": 0, "tokens": 0, "money": 0.0, "minutes": 0.0}


def forecast(run: Run, stage: str, coming: int) -> dict[str, Any]:
    """Calls, tokens, USD and seconds that a stage would take; `coming` requests are not known yet but expected."""
    if stage != "propose" or run.recipe.propose.provider != "llm":
        return dict(NOTHING)
    llm = requests.model(run)
    turns = requests.rendered(run, solving.asked(run, current.requests(run))).dropDuplicates(["request_key"])
    known, new, prompt = _counted(run, turns)
    answer, latency = _experience(run, llm)
    new, prompt = new + coming, prompt + coming * PROMPT_TOKENS
    calls = new if load_provider(llm.provider).CALLS else 0
    tokens = (prompt + new * answer) if calls else 0
    money = llm.terms(Purse()).prices.usd(prompt, round(new * answer)) if calls else 0.0
    return {
        "calls": calls,
        "stored": known,
        "tokens": round(tokens),
        "money": round(money, 4),
        "minutes": round(_seconds(llm, calls, tokens, latency) / 60, 1),
    }


def _counted(run: Run, turns: DataFrame) -> tuple[int, int, int]:
    """Requests with an answer, those without, and the tokens of the latter's messages."""
    from pyspark.sql import functions as F

    answered = requests.answered(run).withColumn("_held", F.lit(True))
    held = F.coalesce("_held", F.lit(False))
    new = F.when(~held, F.col("prompt_tokens"))
    counts = (F.count_if(held), F.count_if(~held), F.coalesce(F.sum(new), F.lit(0)))
    row = turns.join(answered, on="request_key", how="left").agg(*counts).first()
    return (int(row[0]), int(row[1]), int(row[2])) if row else (0, 0, 0)


def _experience(run: Run, llm: Llm) -> tuple[float, float]:
    """How long answers of the model are and take: as stored ones were, else as far as the parameters allow."""
    from pyspark.sql import functions as F

    mine = run.lake.read("llm_responses").where(F.col("answered") & (F.col("model") == llm.identity))
    row = mine.agg(F.avg("answer_tokens"), F.avg("latency_s")).first()
    most = llm.parameters.max_completion_tokens or llm.parameters.max_tokens or ANSWER_TOKENS
    return (float(row[0] or most), float(row[1] or LATENCY_S)) if row else (float(most), LATENCY_S)


def _seconds(llm: Llm, calls: int, tokens: float, latency: float) -> float:
    """The least time that the rates and the calls in flight allow."""
    by_requests = calls * 60 / llm.requests_per_minute if llm.requests_per_minute else 0.0
    by_tokens = tokens * 60 / llm.tokens_per_minute if llm.tokens_per_minute else 0.0
    return max(by_requests, by_tokens, calls * latency / llm.max_in_flight)
