"""A response as a row: the body as it came, or the class of what came instead, with what it took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tasklake.udfs.identity import content_hash
from tasklake.udfs.llm.errors import ErrorClass
from tasklake.udfs.llm.requests import BYTES_PER_TOKEN
from tasklake.udfs.llm.terms import Prices
from tasklake.udfs.llm.texts import storable

# More than any model says at once, its reasoning and the odds of its words included: a longer body is no answer, and
# nothing may keep a table from being read.
MOST_BODY = 1 << 22
# A provider that counts more than that for one answer, or far more for a question than it has letters, is not believed.
MOST_TOKENS, SLACK_TOKENS = 1_000_000, 10_000
RESPONSE = (
    "response_id string, request_key string, answered boolean, body string, error_class string, error string, "
    "attempts int, calls int, endpoint string, answered_by string, provider_id string, finish_reason string, "
    "prompt_tokens bigint, cached_tokens bigint, answer_tokens bigint, tokens_estimated boolean, cost_usd double, "
    "latency_s double, structured boolean, executor string, answered_at double, recipe string"
)


def answered(request: Mapping[str, Any], body: str, prices: Prices, batch: bool = False) -> dict[str, Any]:
    """The row of an answer: one for each request, whoever else may answer it again."""
    found = facts(body, SLACK_TOKENS + 2 * BYTES_PER_TOKEN * request["prompt_tokens"])
    estimated = found["prompt_tokens"] is None or found["answer_tokens"] is None
    if estimated:
        found |= {"prompt_tokens": request["prompt_tokens"], "answer_tokens": len(body) // BYTES_PER_TOKEN}
    usd = prices.usd(found["prompt_tokens"], found["answer_tokens"], found["cached_tokens"], batch)
    return {
        "response_id": request["request_key"],
        "request_key": request["request_key"],
        "answered": True,
        "body": body,
        **found,
        "tokens_estimated": estimated,
        "cost_usd": usd,
        "executor": "batch" if batch else "live",
    }


def failed(request: Mapping[str, Any], kind: ErrorClass, message: str, where: str) -> dict[str, Any]:
    """The row of a failure: one for each request and place (a run, a batch file) in which it failed."""
    return {
        "response_id": content_hash(request["request_key"], where, kind.value),
        "request_key": request["request_key"],
        "answered": False,
        "error_class": kind.value,
        "error": message,
        "prompt_tokens": 0,
        "cached_tokens": 0,
        "answer_tokens": 0,
        "tokens_estimated": False,
        "cost_usd": 0.0,
    }


def facts(body: str, most_prompt: int = MOST_TOKENS) -> dict[str, Any]:
    """What the body of a completion says about itself; nothing of it is needed, so nothing of it is trusted."""
    try:
        data = _object(json.loads(body))
    except (ValueError, RecursionError):
        data = {}
    usage = _object(data.get("usage"))
    details = _object(usage.get("prompt_tokens_details"))
    choices = data.get("choices")
    first = _object(choices[0] if isinstance(choices, list) and choices else None)
    prompt = _count(usage.get("prompt_tokens"), most_prompt)
    return {
        "answered_by": _word(data.get("model")),
        "provider_id": _word(data.get("id")),
        "finish_reason": _word(first.get("finish_reason")),
        "prompt_tokens": prompt,
        "cached_tokens": min(_count(details.get("cached_tokens"), most_prompt) or 0, prompt or 0),
        "answer_tokens": _count(usage.get("completion_tokens"), MOST_TOKENS),
    }


def is_completion(body: str) -> bool:
    """True when the body is what the chat completions protocol calls an answer, however little it says."""
    try:
        message = json.loads(body)["choices"][0]["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    return isinstance(message, dict)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any, most: int) -> int | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return value if good else None


def _word(value: Any) -> str | None:
    return storable(value)[:200] if isinstance(value, str) else None
