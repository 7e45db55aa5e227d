"""A request is its content: template, model, parameters, messages, sample. Its key is the hash of these."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tasklake.sandbox_exec.documents import nearest
from tasklake.udfs.identity import content_hash
from tasklake.udfs.llm.errors import LlmError

Message = dict[str, str]
REQUEST = (
    "request_key string, template string, template_hash string, model string, parameters string, messages string, "
    "schema string, sample int, prompt_tokens bigint"
)
# What a request may ask for beside its messages; anything else would be sent blindly and become part of every key.
PARAMETERS: dict[str, type | tuple[type, ...]] = {
    "temperature": (int, float),
    "top_p": (int, float),
    "max_tokens": int,
    "max_completion_tokens": int,
    "seed": int,
    "stop": (str, list),
    "frequency_penalty": (int, float),
    "presence_penalty": (int, float),
    "reasoning_effort": str,
}
# Bytes of text per token: code and mathematics have fewer than prose, and an estimate that is too high is never over
# budget.
BYTES_PER_TOKEN = 3
# What a provider adds around each message.
MESSAGE_TOKENS = 8
# Assumed for an answer where no parameter limits it: a program of a few hundred lines.
ANSWER_TOKENS = 2048


def request_key(
    template_hash: str, model: str, parameters: Mapping[str, Any], messages: Sequence[Message], sample: int
) -> str:
    """The identity of a request: equal content, equal key, whoever asks and wherever."""
    return content_hash(template_hash, model, dict(parameters), list(messages), sample)


def checked_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, each known and of its type."""
    for name, value in parameters.items():
        wanted = PARAMETERS.get(name)
        if wanted is None:
            right = nearest(name, PARAMETERS)
            hint = f"; did you mean {right}?" if right else f"; known are {', '.join(PARAMETERS)}"
            raise LlmError(f"parameter {name} is not known{hint}")
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise LlmError(f"parameter {name} is {value!r}, which is not of its type")
    return dict(parameters)


def row(
    template: Any, model: str, parameters: Mapping[str, Any], messages: list[Message], sample: int
) -> dict[str, Any]:
    """A request as a row of REQUEST."""
    return {
        "request_key": request_key(template.hash, model, parameters, messages, sample),
        "template": template.name,
        "template_hash": template.hash,
        "model": model,
        "parameters": json.dumps(parameters, sort_keys=True),
        "messages": json.dumps(messages, ensure_ascii=False),
        "schema": json.dumps(template.schema, sort_keys=True) if template.schema else "",
        "sample": sample,
        "prompt_tokens": estimated(messages),
    }


def estimated(messages: Sequence[Message]) -> int:
    """About how many tokens the messages are, rather too many."""
    size = sum(len(each["content"].encode("utf-8", "replace")) for each in messages)
    return size // BYTES_PER_TOKEN + MESSAGE_TOKENS * len(messages)


def most_answer_tokens(parameters: Mapping[str, Any]) -> int:
    """The most tokens that the answer may have, as far as the parameters say."""
    return int(parameters.get("max_completion_tokens") or parameters.get("max_tokens") or ANSWER_TOKENS)


def body(request: Mapping[str, Any], name: str, structured: bool) -> dict[str, Any]:
    """The request as the chat completions protocol wants it, for a model called `name` there."""
    made: dict[str, Any] = {"model": name, "messages": json.loads(request["messages"])}
    made |= json.loads(request["parameters"])
    if structured and request["schema"]:
        form = {"name": request["template"].replace("-", "_"), "strict": True, "schema": json.loads(request["schema"])}
        made["response_format"] = {"type": "json_schema", "json_schema": form}
    return made


def provider_of(model: str) -> tuple[str, str]:
    """Provider and name of a model given as `<provider>/<name>`."""
    provider, slash, name = model.partition("/")
    if not slash or not provider or not name:
        raise LlmError(f"model {model} must be of the form <provider>/<name>, such as openai/gpt-4o-mini")
    return provider, name
