"""What can go wrong with a completion: a closed list of classes, and for each how often and when it is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from tasklake.sandbox_exec.errors import TasklakeError


class LlmError(TasklakeError):
    """Completions cannot be had, or not like this."""


class ErrorClass(StrEnum):
    """Why a request has no value."""

    RATE = "rate"  # the provider asks for patience (429)
    TIMEOUT = "timeout"  # no whole answer within the time of a call
    REFUSAL = "refusal"  # the model or its filter declines
    LENGTH = "length"  # cut off by the limit of tokens, or the question is too long
    MALFORMED = "malformed"  # not a completion, or not the JSON that was asked for
    SCHEMA = "schema"  # JSON, but not of the form that was asked for
    AUTH = "auth"  # the key is missing, wrong or not allowed
    SERVER = "server"  # the provider failed (5xx)
    NETWORK = "network"  # no connection, or one that broke
    BUDGET = "budget"  # the recipe's budget is used up
    REQUEST = "request"  # the provider does not take the request as it is (other 4xx)
    UNRECORDED = "unrecorded"  # nobody is asked, and no answer is recorded


@dataclass(frozen=True)
class Policy:
    """How often a class is tried in all, and the first and longest pause between two tries."""

    tries: int
    first_s: float = 0.0
    most_s: float = 0.0


# Only what another try can mend is tried again; refusals, cut answers and wrong forms are facts about the request, and
# a stage that wants another answer makes another request. A key that is refused and a budget stop the run.
POLICIES: dict[ErrorClass, Policy] = {
    # The provider is well and says when: patience costs nothing, and the breaker ends what never gets better.
    ErrorClass.RATE: Policy(12, 1.0, 60.0),
    # A second and third answer are paid for, too, if the first still arrives at nobody.
    ErrorClass.TIMEOUT: Policy(3, 1.0, 10.0),
    ErrorClass.SERVER: Policy(6, 0.5, 30.0),
    ErrorClass.NETWORK: Policy(6, 0.5, 30.0),
    # A body that is no completion is a fault on the way.
    ErrorClass.MALFORMED: Policy(3, 0.5, 5.0),
}
ONCE = Policy(1)
# The next run asks again for what failed like this: the request itself may be fine.
TRANSIENT = frozenset(POLICIES) | {ErrorClass.AUTH, ErrorClass.REQUEST, ErrorClass.UNRECORDED, ErrorClass.BUDGET}
# A provider that asks for an hour is a provider to come back to with another run.
MAX_RETRY_AFTER_S = 600.0


class CallFailed(Exception):
    """One try of one request failed; `retry_after` is the pause that the provider asked for."""

    def __init__(self, kind: ErrorClass, message: str, retry_after: float | None = None, status: int = 0):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.status = status


def pause(failure: CallFailed, tries: int, chance: random.Random) -> float | None:
    """The seconds to wait before the next try, or None when there is none: what the provider asks for, else growing."""
    policy = POLICIES.get(failure.kind, ONCE)
    if tries >= policy.tries:
        return None
    if failure.retry_after is not None:
        # A little more than asked for, and not all at once.
        return failure.retry_after + chance.uniform(0, 0.1 + 0.1 * failure.retry_after)
    longest: float = min(policy.most_s, policy.first_s * 2 ** (tries - 1))
    return chance.uniform(longest / 2, longest)


def of_status(status: int, body: str) -> ErrorClass:
    """The class of an answer that is no success."""
    if status in (401, 403):
        return ErrorClass.AUTH
    if status == 402 or (status == 429 and "insufficient_quota" in body):
        # The account is empty: no patience refills it.
        return ErrorClass.AUTH
    if status == 429:
        return ErrorClass.RATE
    if status in (408, 504):
        return ErrorClass.TIMEOUT if status == 408 else ErrorClass.SERVER
    if status >= 500:
        return ErrorClass.SERVER
    too_long = "context_length" in body or "maximum context" in body
    return ErrorClass.LENGTH if status in (400, 413, 422) and too_long else ErrorClass.REQUEST
