"""The endpoints of a pool as lanes: each with its window, its breaker and its pauses; calls go where there is room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasklake.udfs.llm.admission import Breaker, Window
from tasklake.udfs.llm.errors import CallFailed, ErrorClass
from tasklake.udfs.llm.terms import Endpoint

# What tells that an endpoint is not well; every other answer, welcome or not, shows that it is.
UNWELL = frozenset({ErrorClass.TIMEOUT, ErrorClass.SERVER, ErrorClass.NETWORK})
# A bare 429 stops a lane for this long, so that not every waiting call finds out for itself.
BREATH_S = 0.2


@dataclass
class Lane:
    """One endpoint with what is known of it."""

    endpoint: Endpoint
    window: Window
    breaker: Breaker = field(default_factory=Breaker)
    paused_until: float = 0.0
    has_answered: bool = False

    def is_open(self, now: float) -> bool:
        """True when a call may start here now."""
        return now >= self.paused_until and self.window.has_room and self.breaker.lets(now)

    def opens_at(self, now: float) -> float:
        """When waiting alone may open it; infinity while it is only full."""
        rests = self.breaker.until if not self.breaker.lets(now) and not self.breaker.trying else 0.0
        latest = max(self.paused_until, rests)
        return latest if latest > now else math.inf

    def start(self) -> None:
        """A call is on its way."""
        self.window.in_flight += 1
        self.breaker.started()

    def end(self, now: float, failure: CallFailed | None) -> None:
        """The call came back, with an answer or a failure."""
        self.window.in_flight -= 1
        if failure is None:
            self.has_answered = True
            self.window.widen()
            self.breaker.succeeded()
        elif failure.kind in UNWELL:
            self.breaker.failed(now)
            if failure.status == 503 or failure.retry_after is not None:
                self._push_back(now, failure.retry_after)
        elif failure.kind is ErrorClass.RATE:
            self.breaker.succeeded()
            self._push_back(now, failure.retry_after)
        else:
            self.breaker.succeeded()

    def _push_back(self, now: float, retry_after: float | None) -> None:
        self.window.narrow(now)
        self.paused_until = max(self.paused_until, now + (BREATH_S if retry_after is None else retry_after))


class Lanes:
    """All lanes of a task."""

    def __init__(self, endpoints: Sequence[Endpoint], most: int):
        self.lanes = [Lane(endpoint, Window(most)) for endpoint in endpoints]
        self.most = most

    @property
    def in_flight(self) -> int:
        """Calls on their way over all lanes."""
        return sum(lane.window.in_flight for lane in self.lanes)

    def pick(self, now: float, avoided: Endpoint | None) -> Lane | None:
        """The open lane with the least load for its weight; the one that just failed only where there is no other."""
        if self.in_flight >= self.most:
            return None
        free = [lane for lane in self.lanes if lane.is_open(now)]
        others = [lane for lane in free if lane.endpoint != avoided] or free
        return min(others, key=lambda lane: (lane.window.in_flight + 1) / lane.endpoint.weight, default=None)

    @property
    def paused_until(self) -> float:
        """When the first of all endpoints no longer asks for patience."""
        return min(lane.paused_until for lane in self.lanes)

    def opens_at(self, now: float) -> float:
        """When waiting alone may open a lane."""
        return min((lane.opens_at(now) for lane in self.lanes), default=math.inf)
