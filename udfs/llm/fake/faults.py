"""What the fake server does wrong: which fault, for which share of the requests, for how many of their tries."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

from tasklake.sandbox_exec.documents import nearest
from tasklake.udfs.llm.errors import LlmError

# Each fault and what the client sees.
FAULTS: dict[str, str] = {
    "rate": "429 without Retry-After",
    "patience": "429 with Retry-After of one second",
    "date": "429 with Retry-After as a date",
    "error500": "500",
    "error502": "502 with a long page of HTML",
    "error503": "503 with Retry-After of one second",
    "hang": "no answer at all",
    "drip": "one byte of the answer after another",
    "endless": "a body that goes on until the client hangs up",
    "zipped": "a compressed body, though none was asked for",
    "reset": "the connection breaks in the middle of the body",
    "notjson": "200 and a body that is no JSON",
    "malformed": "an answer that is not the JSON that was asked for",
    "schema": "JSON of another form than was asked for",
    "length": "an answer cut off by the limit of tokens",
    "refusal": "the model declines",
    "model": "another model's name in the answer",
    "nousage": "an answer that does not tell its tokens",
    "auth": "401, with the Authorization header in its body",
    "forbidden": "403, as a filter declines a prompt",
    "toolong": "400, the question is too long",
    "quoting": "400 for this request, with the form that it asked for in its body",
}
# Faults of what is answered: the request is answered and costs.
OF_CONTENT = ("malformed", "schema", "length", "refusal", "model", "nousage")


@dataclass(frozen=True)
class Fault:
    """A fault, the share of requests that meet it, and in how many of their tries."""

    kind: str
    share: float = 1.0
    tries: int = 1


def parse_faults(texts: Iterable[str]) -> tuple[Fault, ...]:
    """Faults as they are typed: `kind`, `kind:share` or `kind:share:tries`, such as rate:0.1:2."""
    return tuple(_parsed(text) for text in texts)


def _parsed(text: str) -> Fault:
    kind, _, rest = text.partition(":")
    share, _, tries = rest.partition(":")
    if kind not in FAULTS:
        right = nearest(kind, FAULTS)
        hint = f"; did you mean {right}?" if right else ""
        raise LlmError(f"no fault is called {kind}{hint} There are {', '.join(FAULTS)}")
    try:
        fault = Fault(kind, float(share or 1), int(tries or 1))
    except ValueError:
        raise LlmError(f"{text} is not of the form kind:share:tries, such as rate:0.1:2") from None
    if not 0 <= fault.share <= 1 or fault.tries < 1:
        raise LlmError(f"{text}: the share lies between 0 and 1, and the tries are at least 1")
    return fault


def chance(seed: int, *words: str) -> float:
    """A number from 0 to 1 that the words decide."""
    digest = hashlib.sha256("\n".join((str(seed), *words)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def fault_of(faults: Iterable[Fault], seed: int, key: str, tried: int) -> str | None:
    """The fault that a request meets at its n-th try, if any."""
    for fault in faults:
        if tried <= fault.tries and chance(seed, fault.kind, key) < fault.share:
            return fault.kind
    return None


def parse_latency(text: str) -> tuple[float, float]:
    """Median and 99th percentile in seconds of `median` or `median:p99`."""
    median, _, p99 = text.partition(":")
    try:
        low, high = float(median), float(p99 or median)
    except ValueError:
        low, high = -1.0, 0.0
    if not 0 <= low <= high < math.inf:
        raise LlmError(f"latency {text} is not of the form median:p99 in seconds, such as 1:15")
    return low, high
