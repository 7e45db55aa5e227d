"""Plan: what a stage asks for, as requests with keys; which of them nobody has answered; what has been spent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from tasklake.jobs.recipe_llm import Llm
from tasklake.jobs.stage import Run
from tasklake.udfs.llm import requests
from tasklake.udfs.llm.errors import ErrorClass, LlmError
from tasklake.udfs.llm.templates import Template, find_template, repaired, template_names
from tasklake.udfs.llm.terms import Purse
from tasklake.udfs.spool import Measure, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# A stage says for each completion: who asks (a key of its own), which template, with what, and the how-manieth sample.
# Optionally also model and parameters (JSON), where they are not the recipe's.
ASKED = "ask string, template string, variables map<string,string>, sample int"
# Failures by which a provider says that it does not take this very request, or nothing of ours.
DECLINED = (ErrorClass.REQUEST.value, ErrorClass.AUTH.value)
TURN = f"ask string, turn int, {requests.REQUEST}"


def model(run: Run) -> Llm:
    """The recipe's section on models, which a stage needs that asks one."""
    if run.recipe.llm is None:
        raise LlmError(f"recipe {run.recipe.name} asks a model and names none: add a section llm with a model")
    return run.recipe.llm


def template(run: Run, name: str) -> Template:
    """The template of that name, as this run sees it."""
    return find_template(name, run.settings.plugins / "prompts" if run.settings.plugins else None)


def rendered(run: Run, asked: DataFrame) -> DataFrame:
    """Each completion that is asked for as a request: rows of TURN, the first turn of each."""
    from pyspark.sql import functions as F

    llm = model(run)
    given = {"model": F.lit(llm.identity), "parameters": F.lit(json.dumps(llm.asked, sort_keys=True))}
    filled = asked.withColumns({name: value for name, value in given.items() if name not in asked.columns})
    folder = run.settings.plugins / "prompts" if run.settings.plugins else None
    # All of them, read here: the folder need not be on the workers, and only they see which names are asked for.
    found = {name: find_template(name, folder) for name in template_names(folder)}
    columns = ("ask", "template", "variables", "model", "parameters", "sample")
    return run.direct(filled.select(*columns), partial(_rendering, found), TURN)


@contextmanager
def _rendering(templates: Mapping[str, Template]) -> Iterator[Measure]:
    def render(row: Mapping[str, Any]) -> Iterator[Row]:
        template = templates.get(row["template"])
        if template is None:
            raise LlmError(f"no template is called {row['template']}; there are {', '.join(templates)}")
        parameters = requests.checked_parameters(json.loads(row["parameters"]))
        messages = template.messages(dict(row["variables"]))
        made = requests.row(template, row["model"], parameters, messages, row["sample"])
        yield {"ask": row["ask"], "turn": 0, **made}

    yield render


@contextmanager
def repairing() -> Iterator[Measure]:
    """A request whose answer has a wrong form, with what was said, as the request that asks once more."""

    def repair(row: Mapping[str, Any]) -> Iterator[Row]:
        messages = repaired(json.loads(row["messages"]), row["content"], row["told"])
        parameters = json.loads(row["parameters"])
        again = {
            name: row[name] for name in ("ask", "template", "template_hash", "model", "parameters", "schema", "sample")
        }
        key = requests.request_key(row["template_hash"], row["model"], parameters, messages, row["sample"])
        text = json.dumps(messages, ensure_ascii=False)
        size = requests.estimated(messages)
        yield again | {"turn": row["turn"] + 1, "request_key": key, "messages": text, "prompt_tokens": size}

    yield repair


def store(run: Run, stage: str, turns: DataFrame) -> None:
    """The requests are in `llm_requests`, whoever asked for them first."""
    from pyspark.sql import functions as F

    llm = model(run)
    facts = {"stage": stage, "recipe": run.recipe.name, "prices": llm.prices.model_dump_json()}
    named = turns.withColumns({name: F.lit(value) for name, value in facts.items()})
    run.lake.merge("llm_requests", named.withColumn("made_by", F.substring("template_hash", 1, 16)))


def answered(run: Run) -> DataFrame:
    """The keys of all requests that have an answer."""
    return run.lake.read("llm_responses").where("answered").select("request_key")


def unanswered(run: Run, turns: DataFrame) -> DataFrame:
    """The requests, each once, that have no answer yet; `declined` is true where a provider did not take it before."""
    from pyspark.sql import functions as F

    once = turns.dropDuplicates(["request_key"])
    before = run.lake.read("llm_responses").where(F.col("error_class").isin(*DECLINED)).select("request_key")
    declined = before.distinct().withColumn("declined", F.lit(True))
    return once.join(answered(run), on="request_key", how="left_anti").join(declined, on="request_key", how="left")


def purse(run: Run) -> Purse:
    """What the recipe's budget still holds, after everything that it ever spent on this lake."""
    from pyspark.sql import functions as F

    budget = model(run).budget
    if budget.usd is None and budget.calls is None and budget.tokens is None:
        return Purse()
    mine = run.lake.read("llm_responses").where(F.col("recipe") == run.recipe.name)
    tokens = F.sum(F.col("prompt_tokens") + F.col("answer_tokens"))
    row = mine.agg(F.sum("calls").alias("calls"), tokens.alias("tokens"), F.sum("cost_usd").alias("usd")).first()
    spent = row.asDict() if row else {}
    left = {
        name: None if most is None else max(0.0, most - float(spent.get(name) or 0))
        for name, most in budget.model_dump().items()
    }
    return Purse(**left)
