"""When the next call may start: a rate for the whole cluster, a window per endpoint that breathes, and a breaker."""

from __future__ import annotations

import math
from dataclasses import dataclass

MINUTE = 60.0
# Sending one percent below the rate keeps every minute below it, whatever its first second is.
SAFETY = 1.01
# A loop that was busy may send what it missed within this; with SAFETY a minute is still not exceeded.
SLACK_S = 0.3


class Grid:
    """Slots of one of several tasks on a grid of the wall clock that all of them share.

    Task i of n owns the slots i, i + n, i + 2n, … of the cluster's rate: nobody is asked, and no minute holds more
    than the rate, wherever it begins. Slots that nobody used are gone.
    """

    def __init__(self, per_minute: int, tasks: int, index: int):
        self.period = MINUTE / per_minute * SAFETY * tasks
        self.phase = self.period / tasks * (index % tasks)
        self.last = -math.inf

    def next(self, now: float) -> float:
        """The time of the next slot, which is then taken."""
        earliest = math.ceil((now - SLACK_S - self.phase) / self.period)
        self.last = max(self.last + 1, earliest)
        return self.phase + self.last * self.period


class TokenRate:
    """Tokens of a task per minute: what is sent now decides when the next may be sent."""

    def __init__(self, per_minute: float):
        self.per_second = per_minute / MINUTE / SAFETY
        self.free_at = 0.0

    def next(self, now: float, tokens: int) -> float:
        """When so many tokens may be sent; they count from then on."""
        start = max(now, self.free_at)
        self.free_at = start + tokens / self.per_second
        return start

    def refund(self, tokens: int) -> None:
        """So many tokens were reserved and not used."""
        self.free_at -= tokens / self.per_second


# How much a push-back narrows the window, once per COOL_S: calls that were sent together are pushed back together.
NARROW = 0.75
COOL_S = 1.0
# Successes after which a narrowed window is one sixteenth of the most wider.
WIDEN_AFTER = 25
# Failures in a row after which an endpoint is left alone, and for how long at first and at most.
BREAK_AFTER = 8
REST_S = 1.0
MAX_REST_S = 30.0


@dataclass
class Window:
    """How many calls an endpoint may have in flight: narrower when it pushes back, wider when it does not."""

    most: int
    limit: float = 0.0
    in_flight: int = 0
    successes: int = 0
    narrowed_at: float = -math.inf

    def __post_init__(self) -> None:
        self.limit = float(self.most)

    @property
    def has_room(self) -> bool:
        """True when one more may be sent."""
        return self.in_flight < max(1, int(self.limit))

    def narrow(self, now: float) -> None:
        """The endpoint pushed back."""
        if now - self.narrowed_at >= COOL_S:
            self.limit = max(1.0, min(self.limit, self.in_flight + 1) * NARROW)
            self.narrowed_at, self.successes = now, 0

    def widen(self) -> None:
        """An answer came."""
        self.successes += 1
        if self.limit < self.most and self.successes >= WIDEN_AFTER:
            self.limit = min(float(self.most), self.limit + max(1.0, self.most / 16))
            self.successes = 0


@dataclass
class Breaker:
    """Whether an endpoint is asked at all: after failures in a row it rests, then one call tries it."""

    failures: int = 0
    rest: float = REST_S
    until: float = 0.0
    trying: bool = False

    def lets(self, now: float) -> bool:
        """True when a call may start now."""
        return self.failures < BREAK_AFTER or (now >= self.until and not self.trying)

    def started(self) -> None:
        """A call started; after a rest it is the only one."""
        self.trying = self.failures >= BREAK_AFTER

    def succeeded(self) -> None:
        """The endpoint answers."""
        self.failures, self.rest, self.trying = 0, REST_S, False

    def failed(self, now: float) -> None:
        """The endpoint did not answer."""
        self.failures += 1
        if self.failures >= BREAK_AFTER and (self.trying or self.failures == BREAK_AFTER):
            self.until, self.rest = now + self.rest, min(MAX_REST_S, self.rest * 2)
        self.trying = False
