"""Answers by functions: deterministic, free, no model. A model `rules/<name>` names one of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tasklake.sandbox_exec.documents import nearest
from tasklake.udfs.llm.errors import CallFailed, ErrorClass
from tasklake.udfs.llm.providers import Ask, Reply
from tasklake.udfs.llm.templates import quoted
from tasklake.udfs.llm.terms import Endpoint, Terms
from tasklake.udfs.rephrase import rephrased

NAME = "rules"
DOC = "deterministic functions: rules/echo gives back what is quoted, rules/rephrase rewords a statement"
CALLS = False

Rule = Callable[[Mapping[str, str]], str]


def echo(data: Mapping[str, str]) -> str:
    """Everything that the messages quote, as JSON: for trying a template without a model."""
    return json.dumps(dict(data), ensure_ascii=False, sort_keys=True)


def rephrase(data: Mapping[str, str]) -> str:
    """The block `statement`, reworded by the rules of the reformulator."""
    return json.dumps({"story": rephrased(data.get("statement", ""), "")}, ensure_ascii=False)


RULES: dict[str, Rule] = {"echo": echo, "rephrase": rephrase}


@asynccontextmanager
async def open_provider(terms: Terms) -> AsyncIterator[Ask]:
    """The rule that the model names, applied to what the messages quote."""

    async def ask(request: Mapping[str, Any], endpoint: Endpoint) -> Reply:
        rule = RULES.get(terms.model)
        if rule is None:
            right = nearest(terms.model, RULES)
            hint = f"; did you mean {right}?" if right else ""
            raise CallFailed(ErrorClass.REQUEST, f"no rule is called {terms.model}{hint}")
        content = rule(quoted(json.loads(request["messages"])))
        message = {"role": "assistant", "content": content}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        made = {"id": "", "object": "chat.completion", "model": f"rules/{terms.model}", "choices": [choice]}
        return Reply(json.dumps(made | {"usage": usage}, ensure_ascii=False))

    yield ask
