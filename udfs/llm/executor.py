"""The calls of one task: as many in flight as its share allows, each finished one on its way to storage at once.

A call ends as a row, an answer or a failure; nothing that happens to it reaches its neighbours. What is counted while
calls run is `Progress`, for whoever watches.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import math
import random
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from tasklake.udfs.llm import responses
from tasklake.udfs.llm.admission import BREAK_AFTER, Grid, TokenRate
from tasklake.udfs.llm.errors import MAX_RETRY_AFTER_S, CallFailed, ErrorClass, pause
from tasklake.udfs.llm.feed import Feed, Request
from tasklake.udfs.llm.lanes import Lane, Lanes
from tasklake.udfs.llm.providers import Ask, load_provider
from tasklake.udfs.llm.requests import most_answer_tokens
from tasklake.udfs.llm.secrets import Redactor
from tasklake.udfs.llm.sink import OPEN_ROWS, Sink
from tasklake.udfs.llm.spending import Spending
from tasklake.udfs.llm.terms import Endpoint, Terms

# Calls that wait for another try stay in memory: so many for each that may be in flight.
HELD = 4
# Refusals of the request itself in a row, before the first answer, after which something is wrong with all of them.
ALL_REFUSED = 20
# How long calls in flight may take to end once the run is told to stop; what a budget paid for may take its time.
STOP_S = 5.0
# No wait is longer, so that deadlines are seen.
LOOK_S = 0.5


@dataclass
class Call:
    """A request on its way through its tries."""

    request: Request
    tokens: tuple[int, int]
    tries: int = 0
    failed_at: Endpoint | None = None
    failure: CallFailed | None = None
    began: float = 0.0


@dataclass
class Progress:
    """What has happened so far in a task."""

    answered: int = 0
    failed: int = 0
    calls: int = 0
    pushed_back: int = 0
    in_flight: int = 0
    waiting: int = 0
    tokens: int = 0
    usd: float = 0.0
    # Why sending ended early, a word and a sentence.
    stop: str = ""
    why: str = ""
    failures: dict[str, int] = field(default_factory=dict)
    # The last failure, while nothing but failures comes.
    last: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain data."""
        return asdict(self)


class Executor:
    """Runs the calls of one task; `spent` is what earlier attempts at it have done, which its budget has paid for."""

    def __init__(self, terms: Terms, index: int, ask: Ask, sink: Sink, run: str, spent: Progress | None = None):
        self.terms = terms
        self.ask = ask
        self.sink = sink
        # Failures are told apart by the run in which they happened.
        self.where = run
        self.progress = spent or Progress()
        # What one try counts as: a provider that calls nobody spends nothing.
        self.per_try = int(load_provider(terms.provider).CALLS)
        self.lanes = Lanes(terms.endpoints or (Endpoint(""),), terms.share)
        self.grid = Grid(terms.requests_per_minute, terms.tasks, index) if terms.requests_per_minute else None
        self.rate = TokenRate(terms.tokens_per_minute / terms.tasks) if terms.tokens_per_minute else None
        gone = (self.progress.calls, self.progress.tokens, self.progress.usd)
        self.spending = Spending(terms.purse.share(terms.tasks), terms.prices, gone)
        self.chance = random.Random()
        self.later: list[tuple[float, int, Call]] = []
        self.number = itertools.count()
        self.changed = asyncio.Event()
        self.began = self.well_at = self.looked_at = time.monotonic()
        self.ill = 0
        # How long all endpoints were paused, as they asked for, since the last answer.
        self.paused_s = 0.0

    async def run(self, feed: Feed) -> Progress:
        """Every request of the feed is a row in the sink, or sending was stopped; nothing is in flight."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.sink.run(self.changed.set))
            calls: set[asyncio.Task[None]] = set()
            while not self.progress.stop and (ready := await self._ready(feed)):
                call, lane = ready
                task = group.create_task(self._call(call, lane))
                calls.add(task)
                task.add_done_callback(calls.discard)
            await self._drained(calls)
            self._abandon()
            self.sink.close()
        return self.progress

    def stop(self, word: str, why: str) -> None:
        """Nothing more is sent; the first reason counts."""
        if not self.progress.stop:
            self.progress.stop, self.progress.why = word, why
        self.changed.set()

    async def _drained(self, calls: set[asyncio.Task[None]]) -> None:
        """No call is in flight."""
        patient = self.progress.stop in ("", ErrorClass.BUDGET.value, "deadline")
        if calls:
            await asyncio.wait(set(calls), timeout=None if patient else STOP_S)
        for task in list(calls):
            task.cancel()
        if calls:
            await asyncio.wait(set(calls))

    def _abandon(self) -> None:
        """What was tried and will not be tried again is a failure: its calls count, and the next run asks again."""
        for _, _, call in self.later:
            if call.failure and call.failed_at:
                told = f"{call.failure.message} (then the run stopped: {self.progress.stop})"
                self._ended(call, CallFailed(call.failure.kind, told), call.failed_at)

    async def _ready(self, feed: Feed) -> tuple[Call, Lane] | None:
        """The next call with a lane that has room, when its time has come; None when all is done or stopped."""
        call = await self._next(feed)
        if call is None:
            return None
        while not self.progress.stop:
            await self._room_in_sink()
            lane = await self._room(call)
            if lane is None:
                break
            if not self.spending.reserve(*call.tokens):
                if not self.lanes.in_flight:
                    self.stop(ErrorClass.BUDGET.value, "the budget is used up")
                # What calls in flight reserved beyond their need comes back with them.
                await self._change(LOOK_S)
                continue
            await self._paced(sum(call.tokens))
            if not self.progress.stop and lane.is_open(time.monotonic()):
                self._started(call, lane)
                return call, lane
            # Sending was stopped, or the endpoint has asked for a pause meanwhile.
            self.spending.release(*call.tokens)
            if self.rate:
                self.rate.refund(sum(call.tokens))
        self._put_off(call, 0.0)
        return None

    def _put_off(self, call: Call, until: float) -> None:
        """The call is among those that wait."""
        heapq.heappush(self.later, (until, next(self.number), call))

    async def _next(self, feed: Feed) -> Call | None:
        """The call whose time has come: another try before a new request."""
        while not self.progress.stop:
            self._look_at_deadlines()
            now = time.monotonic()
            if self.later and self.later[0][0] <= now:
                return heapq.heappop(self.later)[2]
            if self.lanes.in_flight + len(self.later) < self.terms.share * HELD and (request := await feed.next()):
                tokens = (request["prompt_tokens"], most_answer_tokens(json.loads(request["parameters"])))
                return Call(request, tokens)
            if not self.later and not self.lanes.in_flight and feed.ended:
                return None
            await self._change(self.later[0][0] - now if self.later else LOOK_S)
        return None

    async def _room(self, call: Call) -> Lane | None:
        """A lane that may be used now; None when sending has been stopped."""
        while not self.progress.stop:
            now = time.monotonic()
            if lane := self.lanes.pick(now, call.failed_at):
                return lane
            await self._change(self.lanes.opens_at(now) - now)
        return None

    async def _room_in_sink(self) -> None:
        """Finished rows get to storage as fast as new calls start: what a kill can lose stays bounded."""
        while self.lanes.in_flight + self.sink.open >= self.terms.share + OPEN_ROWS and not self.progress.stop:
            await self._change(LOOK_S)

    async def _paced(self, tokens: int) -> None:
        """The cluster's rates allow one more call now."""
        now = time.monotonic()
        if self.rate:
            await self._until(self.rate.next(now, tokens))
        if self.grid:
            # The grid is the wall clock's, which all tasks share; waiting is done by one that nobody sets.
            ahead = self.grid.next(time.time()) - time.time()
            await self._until(time.monotonic() + ahead)

    async def _until(self, when: float) -> None:
        """It is that late, or sending has been stopped."""
        while not self.progress.stop and (left := when - time.monotonic()) > 0:
            await self._change(left)

    async def _change(self, seconds: float) -> None:
        """Something has happened, or the time is over, or it is time to look at the deadlines."""
        self._look_at_deadlines()
        if self.progress.stop or self.changed.is_set():
            self.changed.clear()
            return
        try:
            async with asyncio.timeout(min(LOOK_S, max(0.0, seconds)) if seconds < math.inf else LOOK_S):
                await self.changed.wait()
        except TimeoutError:
            pass
        self.changed.clear()

    def _look_at_deadlines(self) -> None:
        now = time.monotonic()
        if self.terms.wave_s is not None and now - self.began > self.terms.wave_s:
            self.stop("deadline", f"the wave took longer than its {self.terms.wave_s:g} s")
        if self.ill:
            paused = max(0.0, min(now, self.lanes.paused_until) - self.looked_at)
            self.paused_s = min(MAX_RETRY_AFTER_S, self.paused_s + paused)
        self.looked_at = now
        silent = self.ill >= BREAK_AFTER or (self.ill and not self.lanes.in_flight)
        if silent and now - self.well_at - self.paused_s > self.terms.give_up_s:
            self.stop("unwell", f"nothing but failures for {self.terms.give_up_s:g} s, the last: {self.progress.last}")

    def _started(self, call: Call, lane: Lane) -> None:
        lane.start()
        call.tries += 1
        call.began = call.began or time.monotonic()
        self.progress.calls += self.per_try
        self.progress.in_flight = self.lanes.in_flight
        if not self.ill:
            # A quiet time before the first failure is none in which anything failed.
            self.well_at = time.monotonic()

    async def _call(self, call: Call, lane: Lane) -> None:
        sent, failure, reply = time.monotonic(), None, None
        try:
            async with asyncio.timeout(self.terms.timeout_s):
                reply = await self.ask(call.request, lane.endpoint)
        except TimeoutError:
            failure = CallFailed(ErrorClass.TIMEOUT, f"no whole answer within {self.terms.timeout_s:g} s")
        except CallFailed as failed:
            failure = failed
        except asyncio.CancelledError:
            lane.end(time.monotonic(), None)
            told = f"no answer before the run stopped: {self.progress.stop}"
            self._ended(call, CallFailed(ErrorClass.TIMEOUT, told), lane.endpoint)
            raise
        except Exception as error:  # noqa: BLE001  what a provider raises against its word harms no neighbour
            redactor = Redactor(each.key for each in self.terms.endpoints)
            failure = CallFailed(ErrorClass.MALFORMED, redactor.message(f"{type(error).__name__}: {error}"))
        now = time.monotonic()
        lane.end(now, failure)
        self.progress.in_flight = self.lanes.in_flight
        if reply is not None:
            self._answered(call, lane, reply, now - sent)
        elif failure is not None:
            self._failed(call, lane, failure, now)
        self.changed.set()

    def _answered(self, call: Call, lane: Lane, reply: Any, latency: float) -> None:
        row = responses.answered(call.request, reply.body, self.terms.prices)
        used = (row["prompt_tokens"], row["answer_tokens"])
        self.spending.settle(call.tokens, used, row["cost_usd"])
        if self.rate:
            self.rate.refund(sum(call.tokens) - sum(used))
        self.ill, self.paused_s, self.well_at, self.progress.last = 0, 0.0, time.monotonic(), ""
        self.progress.answered += 1
        self.progress.tokens += sum(used)
        self.progress.usd += row["cost_usd"]
        self.sink.add(row | self._told(call, lane.endpoint, latency) | {"structured": reply.structured})

    def _failed(self, call: Call, lane: Lane, failure: CallFailed, now: float) -> None:
        # What was declined before says nothing new: neither of the key nor of the other requests.
        known = bool(call.request.get("declined"))
        if failure.status == 403 and (known or lane.has_answered or lane.window.in_flight):
            # A filter declines one prompt like this. A key that is refused has nothing answered, whatever is asked.
            failure = CallFailed(ErrorClass.REQUEST, failure.message)
        # A try that failed may have cost a call, and nothing else that anybody tells us of.
        self.spending.settle(call.tokens, (0, 0), 0.0)
        if self.rate:
            self.rate.refund(sum(call.tokens))
        self.ill += not known
        self.progress.last = failure.message
        self.progress.pushed_back += failure.kind is ErrorClass.RATE
        call.failed_at, call.failure = lane.endpoint, failure
        wait = pause(failure, call.tries, self.chance)
        if failure.kind is ErrorClass.AUTH:
            self.stop(
                ErrorClass.AUTH.value,
                f"{lane.endpoint.label} refuses the key of {lane.endpoint.key}: {failure.message}",
            )
        elif failure.kind is ErrorClass.REQUEST and self.ill >= ALL_REFUSED and not (known or self.progress.answered):
            self.stop("unwell", f"{lane.endpoint.label} takes none of the requests: {failure.message}")
        elif wait is not None and not self.progress.stop:
            return self._put_off(call, now + wait)
        self._ended(call, failure, lane.endpoint)

    def _ended(self, call: Call, failure: CallFailed, endpoint: Endpoint) -> None:
        """The request has failed, as far as this run goes."""
        kind = failure.kind.value
        self.progress.failed += 1
        self.progress.failures[kind] = self.progress.failures.get(kind, 0) + 1
        row = responses.failed(call.request, failure.kind, failure.message, self.where)
        self.sink.add(row | self._told(call, endpoint, time.monotonic() - call.began))

    def _told(self, call: Call, endpoint: Endpoint, latency: float) -> dict[str, Any]:
        """What is known of the way, whatever came of it."""
        return {
            "attempts": call.tries,
            "calls": call.tries * self.per_try,
            "endpoint": endpoint.label,
            "latency_s": latency,
            "executor": "live",
            "answered_at": time.time(),
        }
