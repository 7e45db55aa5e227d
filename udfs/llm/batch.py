"""The files of a provider's Batch API: requests out, answers in, in any order and as often as they come."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasklake.udfs.llm import responses
from tasklake.udfs.llm.errors import ErrorClass, LlmError, of_status
from tasklake.udfs.llm.requests import body, provider_of
from tasklake.udfs.llm.secrets import Redactor
from tasklake.udfs.llm.terms import Prices
from tasklake.udfs.llm.texts import storable

# What the provider takes in one file.
MAX_REQUESTS = 50_000
MAX_BYTES = 200_000_000
URL = "/v1/chat/completions"
# What a line of results is at most: a letter of the body may take six there.
MOST_LINE = 6 * responses.MOST_BODY
# How a compressed file begins.
GZIP = b"\x1f\x8b"
# Errors of a line that is no HTTP answer; whatever else a provider says there is its own failure.
EXPIRED = ("batch_expired", "batch_cancelled")


def line(request: Mapping[str, Any], structured: bool = True) -> bytes:
    """One request in the format of the Batch API, its key being the custom_id."""
    asked = body(request, provider_of(request["model"])[1], structured)
    made = {"custom_id": request["request_key"], "method": "POST", "url": URL, "body": asked}
    return json.dumps(made, ensure_ascii=True).encode() + b"\n"


@dataclass
class File:
    """One file for the provider, and what it holds."""

    path: Path
    requests: int = 0
    bytes: int = 0


def write(
    requests: Iterable[Mapping[str, Any]],
    out: Path,
    structured: bool = True,
    most: int = MAX_REQUESTS,
    size: int = MAX_BYTES,
) -> list[File]:
    """The requests are in files that the provider takes: `out`, and beside it `-2`, `-3`, … where one is not enough.

    What an earlier export left under these names is gone: it would be sent, and paid for, again.
    """
    if out.exists() and not out.is_file():
        raise LlmError(f"{out} is no file: name one for the requests")
    files: list[File] = []
    out.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for request in requests:
            data = line(request, structured)
            if not files or files[-1].requests == most or files[-1].bytes + len(data) > size:
                files.append(File(_numbered(out, len(files) + 1)))
                stack.close()
                stream = stack.enter_context(_hidden(files[-1].path).open("wb"))
            stream.write(data)
            files[-1].requests += 1
            files[-1].bytes += len(data)
    for file in files:
        _hidden(file.path).replace(file.path)
    for path in itertools.takewhile(Path.is_file, (_numbered(out, n) for n in itertools.count(len(files) + 1))):
        path.unlink()
    return files


def _numbered(out: Path, number: int) -> Path:
    return out if number == 1 else out.with_stem(f"{out.stem}-{number}")


def _hidden(path: Path) -> Path:
    """Where a file is made: under its own name it is whole."""
    return path.with_name(f".{path.name}.part")


def read(text: str, place: str) -> dict[str, Any]:
    """What one line of a result file says: custom_id and either a body or an error; `wrong` where it says nothing."""
    if len(text) > MOST_LINE:
        return {"wrong": f"{place}: longer than any answer"}
    try:
        data = json.loads(text)
        custom_id = data["custom_id"]
        answer, error = data.get("response"), data.get("error")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {"wrong": f"{place}: no line of a batch result"}
    if not isinstance(custom_id, str):
        return {"wrong": f"{place}: custom_id is no text"}
    found: dict[str, Any] = {"custom_id": storable(custom_id), "place": place}
    if isinstance(answer, dict) and answer.get("status_code") == 200 and isinstance(answer.get("body"), dict):
        body = json.dumps(answer["body"])
        if len(body) > responses.MOST_BODY:
            return found | {"kind": ErrorClass.LENGTH, "told": f"the body is longer than {responses.MOST_BODY} bytes"}
        return found | {"body": body}
    if isinstance(answer, dict) and isinstance(answer.get("status_code"), int):
        told = _shown(answer.get("body"))
        return found | {"kind": of_status(answer["status_code"], told), "told": f"{answer['status_code']}: {told}"}
    code = error.get("code") if isinstance(error, dict) else None
    kind = ErrorClass.TIMEOUT if code in EXPIRED else ErrorClass.SERVER
    return found | {"kind": kind, "told": _shown(error)}


def _shown(value: Any) -> str:
    """The value as JSON for people, whose letters stay letters."""
    return storable(json.dumps(value, ensure_ascii=False))


def imported(
    found: Mapping[str, Any], request: Mapping[str, Any], prices: Prices, redactor: Redactor
) -> dict[str, Any]:
    """The response row of a line for the request that it answers."""
    extra = {"attempts": 1, "calls": 1, "endpoint": "batch", "executor": "batch"}
    if "body" in found:
        text = redactor.answer(found["body"])
        if responses.is_completion(text):
            return responses.answered(request, text, prices, batch=True) | extra
        told = redactor.message(f"the body is no chat completion: {text[:200]}")
        return responses.failed(request, ErrorClass.MALFORMED, told, "batch") | extra
    return responses.failed(request, ErrorClass(found["kind"]), redactor.message(found["told"]), "batch") | extra


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each line of a file that is not blank, with its place."""
    try:
        with path.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace") as stream:
            if raw.peek(len(GZIP)).startswith(GZIP):
                raise LlmError(f"{path}: is compressed; unpack it first: gunzip {path}")
            for number in itertools.count(1):
                text = rest = stream.readline(MOST_LINE + 1)
                if not text:
                    return
                # A line that is too long to be read whole is as long as it takes to say so.
                while rest and not rest.endswith("\n"):
                    rest = stream.readline(MOST_LINE)
                if text.strip():
                    yield text, f"{path}:{number}"
    except OSError as error:
        raise LlmError(f"{path}: cannot be read ({error.strerror}); give the result file of a batch") from None
