"""Rates are kept in every minute, windows breathe, breakers open and close, and spending never passes its share."""

from __future__ import annotations

import bisect
import random

import pytest

from tasklake.udfs.llm.admission import BREAK_AFTER, REST_S, SLACK_S, Breaker, Grid, TokenRate, Window
from tasklake.udfs.llm.errors import POLICIES, CallFailed, ErrorClass, of_status, pause
from tasklake.udfs.llm.lanes import Lanes
from tasklake.udfs.llm.spending import Spending
from tasklake.udfs.llm.terms import Endpoint, Prices, Purse


def sent(per_minute: int, tasks: int, minutes: float, late: float) -> list[float]:
    """When the calls of all tasks go out; each task begins at another time, and its loop sometimes stalls."""
    chance = random.Random(7)
    times: list[float] = []
    for index in range(tasks):
        grid, now = Grid(per_minute, tasks, index), 1000.0 + chance.random() * 3
        while now < 1000 + minutes * 60:
            now = max(now, grid.next(now)) + (late if chance.random() < 0.01 else 0.0)
            times.append(now)
    return sorted(times)


@pytest.mark.parametrize(("per_minute", "tasks"), [(10, 1), (10, 4), (60, 3), (600, 4), (6000, 1), (6000, 16)])
def test_no_minute_holds_more_than_the_rate(per_minute, tasks):
    """Over all tasks and wherever the minute begins, with loops that are late; and nearly all of the rate is used."""
    times = sent(per_minute, tasks, 4, SLACK_S / 2)
    for start in times:
        assert bisect.bisect_left(times, start + 60) - bisect.bisect_left(times, start) <= per_minute
    middle = bisect.bisect_left(times, 1180) - bisect.bisect_left(times, 1060)
    assert middle >= 0.97 * 2 * per_minute - tasks


def test_tokens_per_minute_are_kept_and_given_back():
    """What is reserved delays the next call; what was not used does not."""
    rate = TokenRate(6060)
    assert rate.next(100.0, 1000) == 100.0
    assert rate.next(100.0, 1000) == pytest.approx(110.0)
    rate.refund(1000)
    assert rate.next(100.0, 1) == pytest.approx(110.0)


def test_a_window_narrows_once_for_what_was_sent_together_and_widens_again():
    """Ten push-backs at once narrow once; successes bring it back to the most, never above."""
    window = Window(64)
    window.in_flight = 64
    for _ in range(10):
        window.narrow(50.0)
    assert window.limit == 48
    for _ in range(1000):
        window.widen()
    assert window.limit == 64


def test_a_breaker_lets_one_call_try_after_each_rest():
    """Failures in a row close the endpoint; one call tries it; its failure doubles the rest, its success ends it."""
    breaker = Breaker()
    for _ in range(BREAK_AFTER):
        assert breaker.lets(0.0)
        breaker.failed(0.0)
    assert not breaker.lets(REST_S / 2)
    assert breaker.lets(REST_S)
    breaker.started()
    assert not breaker.lets(REST_S)
    breaker.failed(REST_S)
    assert not breaker.lets(2.5 * REST_S)
    assert breaker.lets(3 * REST_S)
    breaker.started()
    breaker.succeeded()
    assert breaker.lets(0.0)


def test_calls_go_by_weight_and_away_from_what_failed():
    """Three quarters go where the weight is; a call that failed goes elsewhere; full lanes take none."""
    heavy, light = Endpoint("http://a/v1", 3.0), Endpoint("http://b/v1", 1.0)
    lanes = Lanes((heavy, light), 8)
    picked = []
    while lane := lanes.pick(0.0, None):
        lane.start()
        picked.append(lane.endpoint)
    assert picked.count(heavy) == 6
    assert len(picked) == 8
    lanes.lanes[0].end(0.0, None)
    lanes.lanes[1].end(0.0, None)
    again = lanes.pick(0.0, heavy)
    assert again is not None
    assert again.endpoint == light


def test_retry_after_is_honoured_and_pauses_grow():
    """What the provider asks for is the least; without it pauses grow up to the class's longest, and end."""
    chance = random.Random(1)
    asked = CallFailed(ErrorClass.RATE, "", 7.0)
    assert all(7.0 <= (pause(asked, tries, chance) or 0) <= 7.9 for tries in range(1, 5))
    bare = CallFailed(ErrorClass.SERVER, "")
    waits = [pause(bare, tries, chance) for tries in range(1, POLICIES[ErrorClass.SERVER].tries + 1)]
    assert waits[-1] is None
    assert all(wait is not None and wait <= POLICIES[ErrorClass.SERVER].most_s for wait in waits[:-1])
    assert pause(CallFailed(ErrorClass.REFUSAL, ""), 1, chance) is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", ErrorClass.AUTH),
        (403, "", ErrorClass.AUTH),
        (429, "slow down", ErrorClass.RATE),
        (429, "insufficient_quota", ErrorClass.AUTH),
        (408, "", ErrorClass.TIMEOUT),
        (500, "", ErrorClass.SERVER),
        (503, "", ErrorClass.SERVER),
        (504, "", ErrorClass.SERVER),
        (400, "context_length_exceeded", ErrorClass.LENGTH),
        (404, "no such model", ErrorClass.REQUEST),
    ],
)
def test_a_status_has_its_class(status, body, kind):
    """An empty account is a matter of the key, not of patience."""
    assert of_status(status, body) is kind


def test_spending_reserves_the_dearest_and_settles_the_real():
    """No call starts that could pass a cap; what was not used is free for the next."""
    spending = Spending(Purse(calls=3, tokens=1000, usd=None), Prices())
    assert spending.reserve(100, 500)
    assert not spending.reserve(100, 500)
    spending.settle((100, 500), (100, 50), 0.0)
    assert spending.reserve(100, 500)
    assert not spending.reserve(100, 500)
    spending.settle((100, 500), (100, 50), 0.0)
    assert spending.reserve(10, 10)
    assert not spending.reserve(10, 10), "three calls are counted, whatever they cost"
