"""What the fake server says: from the request alone, of the form that is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasklake.udfs.llm.errors import LlmError

# The words of answers without a script; their number stands for the length of an answer.
WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
# Nobody wants a schema that nests deeper from a fake.
MAX_DEPTH = 8


def read_script(path: Path) -> tuple[Mapping[str, str], ...]:
    """The lines of a script: what a request has to contain, and what is then answered."""
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        return tuple({name: str(line[name]) for name in ("contains", "answer")} for line in lines)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LlmError(f"{path}: each line must be an object with contains and answer ({error})") from None


def scripted(script: Sequence[Mapping[str, str]], messages: Sequence[Mapping[str, Any]]) -> str | None:
    """The answer of the first script line whose text occurs in the messages."""
    text = "\n".join(str(each.get("content")) for each in messages)
    return next((line["answer"] for line in script if line["contains"] in text), None)


def content(request: Mapping[str, Any], script: Sequence[Mapping[str, str]], key: str) -> str:
    """The text of an answer: scripted, of the wanted schema, or words."""
    given = scripted(script, request.get("messages") or ())
    if given is not None:
        return given
    form = request.get("response_format") or {}
    digest = hashlib.sha256(key.encode()).hexdigest()
    if form.get("type") == "json_schema":
        return json.dumps(instance(form.get("json_schema", {}).get("schema", {}), digest))
    if form.get("type") == "json_object":
        return json.dumps({"answer": digest[:8]})
    return " ".join(WORDS[int(letter, 16) % len(WORDS)] for letter in digest[:16])


def instance(schema: Mapping[str, Any], seed: str, depth: int = 0) -> Any:
    """A small value of a schema; only the parts that structured output knows are looked at."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][int(seed[:4], 16) % len(schema["enum"])]
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            return instance(schema[word][0], seed, depth + 1)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        names = schema.get("properties", {}) if depth < MAX_DEPTH else {}
        return {name: instance(each, hashlib.sha256((seed + name).encode()).hexdigest(), depth + 1)
                for name, each in names.items()}  # fmt: skip
    if kind == "array":
        count = max(1, int(schema.get("minItems", 1)))
        return [instance(schema.get("items", {}), seed, depth + 1) for _ in range(count)] if depth < MAX_DEPTH else []
    low = schema.get("minimum", 0)
    plain: dict[str, Any] = {"integer": int(low), "number": float(low), "boolean": True, "null": None}
    text = f"text-{seed[:8]}"
    return plain.get(kind, text.ljust(int(schema.get("minLength", 0)), "x"))


def completion(request: Mapping[str, Any], key: str, text: str, fault: str | None) -> dict[str, Any]:
    """The body of an answer, with the fault in it."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    finish = "stop"
    if fault == "malformed":
        message["content"] = '{"this": is not JSON'
    elif fault == "schema":
        message["content"] = json.dumps({"surprise": [1, 2, 3]})
    elif fault == "length":
        message["content"], finish = text[: len(text) // 2], "length"
    elif fault == "refusal":
        message |= {"content": None, "refusal": "I would rather not."}
    prompt = sum(len(str(each.get("content"))) for each in request.get("messages") or ()) // 4
    usage = {"prompt_tokens": prompt, "completion_tokens": len(text) // 4 + 1}
    usage["total_tokens"] = sum(usage.values())
    name = str(request.get("model"))
    made: dict[str, Any] = {
        "id": f"chatcmpl-{hashlib.sha256(key.encode()).hexdigest()[:16]}",
        "object": "chat.completion",
        "created": 1,
        "model": f"{name}-2026" if fault == "model" else name,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    return made if fault == "nousage" else made | {"usage": usage}


def chunks(whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answer as the parts of a stream, the tokens last."""
    head = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    choice = whole["choices"][0]
    words = str(choice["message"]["content"] or "").split(" ")
    pieces = [word if number == 0 else f" {word}" for number, word in enumerate(words)]
    deltas: list[dict[str, Any]] = [{"role": "assistant"}, *({"content": piece} for piece in pieces)]
    parts = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    parts.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    return [*parts, head | {"choices": [], "usage": whole.get("usage")}]
