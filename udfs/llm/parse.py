"""What a stored answer says: a pure function of its body and the schema, so that a better one costs no call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tasklake.udfs.llm.errors import ErrorClass
from tasklake.udfs.llm.texts import storable

# Raised when the same body yields another value or error; stages that store values hold it in their fingerprints.
PARSER_VERSION = "2"
# A model that thinks aloud does so before it answers; some servers leave that in the content.
THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
# A line that opens a block or, without the word, closes one.
FENCE = re.compile(r"^```(json)?[ \t]*$", re.MULTILINE)
# What is told of a value that has the wrong form.
MAX_TOLD = 300


@dataclass(frozen=True)
class Parsed:
    """The value as JSON text, or the text itself where no schema is given; else why there is none."""

    value: str | None = None
    error: ErrorClass | None = None
    message: str = ""


def parsed(body: str, schema: str) -> Parsed:
    """The value in the body of a completion."""
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        message = choice["message"]
        content, refusal, finish = message.get("content"), message.get("refusal"), choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Parsed(error=ErrorClass.MALFORMED, message="the body is no chat completion")
    if refusal or finish == "content_filter":
        told = storable(str(refusal or "stopped by a content filter"))
        return Parsed(error=ErrorClass.REFUSAL, message=told[:MAX_TOLD])
    if finish == "length":
        return Parsed(error=ErrorClass.LENGTH, message="cut off at the most tokens that were allowed")
    if not isinstance(content, str) or not content.strip():
        return Parsed(error=ErrorClass.MALFORMED, message="the answer is empty")
    spoken = THOUGHT.sub("", content, count=1)
    return _formed(spoken, schema) if schema else _valued(spoken)


def content_of(body: str) -> str:
    """The text that the model wrote, for showing it to the model again."""
    try:
        return storable(str(json.loads(body)["choices"][0]["message"].get("content") or ""))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""


def _formed(content: str, schema: str) -> Parsed:
    told = "it holds no JSON"
    for text in (content, *reversed(_blocks(content))):
        try:
            value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_key_twice)
        except (ValueError, RecursionError) as error:
            told = str(error)[:MAX_TOLD] or "it is nested too deeply"
            continue
        return _checked(value, schema)
    return Parsed(error=ErrorClass.MALFORMED, message=f"the answer is not JSON: {told}")


def _blocks(content: str) -> list[str]:
    """What stands between fences: one that opens and the next that closes, whatever is between them."""
    found: list[str] = []
    start: int | None = None
    for fence in FENCE.finditer(content):
        if start is None:
            start = fence.end() + 1
        elif not fence[1]:
            found.append(content[start : fence.start()])
            start = None
    return found


def _checked(value: Any, schema: str) -> Parsed:
    try:
        wrong = next(iter(_validator(schema).iter_errors(value)), None)
        if wrong is not None:
            place = "/".join(map(str, wrong.absolute_path)) or "the value"
            return Parsed(error=ErrorClass.SCHEMA, message=storable(f"{place}: {wrong.message[:MAX_TOLD]}"))
        return _valued(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except RecursionError:
        return Parsed(error=ErrorClass.SCHEMA, message="the value is nested too deeply")
    except (ValueError, OverflowError):
        return Parsed(error=ErrorClass.SCHEMA, message="the value holds a number that is too large")


def _valued(text: str) -> Parsed:
    """The text as a value, unless it holds half of a character."""
    if text != storable(text):
        return Parsed(error=ErrorClass.MALFORMED, message="the answer holds half of a character")
    return Parsed(text)


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is given twice")
    return made
