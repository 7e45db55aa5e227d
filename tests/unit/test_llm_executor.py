"""A task's calls against a real server: whatever goes wrong, every request ends as one row that says what happened."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from calls import KEY, rows, terms

from tasklake.udfs.llm.errors import CallFailed, ErrorClass, LlmError
from tasklake.udfs.llm.executor import Executor, Progress
from tasklake.udfs.llm.fake.faults import FAULTS, OF_CONTENT
from tasklake.udfs.llm.feed import Feed
from tasklake.udfs.llm.parse import parsed
from tasklake.udfs.llm.providers import Ask, Reply, load_provider, openai, provider_names
from tasklake.udfs.llm.sink import OPEN_ROWS, Sink
from tasklake.udfs.llm.terms import Endpoint, Prices, Purse, Terms

# What a fault of the content makes of the value; the others leave no trace but tries.
ENDS = {
    "malformed": ErrorClass.MALFORMED,
    "schema": ErrorClass.SCHEMA,
    "length": ErrorClass.LENGTH,
    "refusal": ErrorClass.REFUSAL,
    "toolong": ErrorClass.LENGTH,
    "endless": ErrorClass.LENGTH,
    "zipped": ErrorClass.REQUEST,
    "forbidden": ErrorClass.REQUEST,
}
# Those with tests of their own: they end more than the request that meets them.
OWN = {"auth", "quoting"}
PASSING = sorted(set(FAULTS) - set(OF_CONTENT) - set(ENDS) - OWN)


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment, as on a worker."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def run(
    given: list[dict[str, Any]],
    conditions: Terms,
    told: Callable[[list[Any]], None] = lambda _: None,
    asking: Ask | None = None,
):
    """The rows that the requests ended as, and what was counted."""

    async def calls() -> tuple[list[dict[str, Any]], Progress]:
        made: list[dict[str, Any]] = []

        def store(segment: list[dict[str, Any]]) -> None:
            told(segment)
            made.extend(segment)

        batches = iter([pa.RecordBatch.from_pylist(given[at : at + 8]) for at in range(0, len(given), 8)])
        async with load_provider(conditions.provider).open_provider(conditions) as ask:
            progress = await Executor(conditions, 0, asking or ask, Sink(store), "run-1").run(Feed(batches))
        return made, progress

    return asyncio.run(calls())


@pytest.mark.parametrize("fault", [*PASSING, *ENDS, "model", "nousage"])
def test_under_each_fault_every_request_ends_as_one_row(fake_llm, fault):
    """A third of the requests meet the fault: afterwards there is one row for each, with the value or its class."""
    server = fake_llm(faults=[f"{fault}:0.3"], key=KEY)
    given = rows(40)
    made, progress = run(given, terms(server.url))
    assert Counter(row["request_key"] for row in made) == Counter(row["request_key"] for row in given)
    met = {row["request_key"] for row in given if server.state.received[row["request_key"]] > 1}
    for row in made:
        kind = parsed(row["body"], given[0]["schema"]).error if row["answered"] else ErrorClass(row["error_class"])
        assert kind is None or kind is ENDS[fault]
        assert row["attempts"] == server.state.received[row["request_key"]]
    assert progress.answered + progress.failed == len(given)
    assert (len(met) > 0) is (fault in PASSING)
    assert max(server.state.answered.values()) == 1


def test_a_fault_that_stays_ends_as_its_class(fake_llm):
    """Tries run out: the row has the class, the number of tries and the last message."""
    server = fake_llm(faults=["notjson:1:99"])
    made, _ = run(rows(3), terms(server.url))
    assert {(row["error_class"], row["attempts"]) for row in made} == {("malformed", 3)}
    assert all("no chat completion" in row["error"] for row in made)


def test_a_refused_key_stops_everything_with_one_sentence_that_does_not_hold_it(fake_llm):
    """The server echoes the header in its 401: no row, message or count holds the key."""
    server = fake_llm(faults=["auth:1:99"])
    made, progress = run(rows(200), terms(server.url))
    assert progress.stop == "auth"
    assert "OPENAI_API_KEY" in progress.why
    assert len(server.state.received) <= 16
    assert KEY not in json.dumps([made, progress.as_dict()])


def test_an_answer_that_echoes_the_key_is_stored_without_it(fake_llm):
    """Whatever a server sends back, our key is not kept."""
    server = fake_llm(script=({"contains": "Task", "answer": f"you sent {KEY}"},))
    made, _ = run(rows(2), terms(server.url))
    assert KEY not in json.dumps(made)
    assert all("[key]" in row["body"] for row in made)


def test_a_key_that_no_header_carries_stops_before_anything_is_sent(fake_llm, monkeypatch):
    """The sentence names the variable and holds nothing of the key."""
    server = fake_llm()
    monkeypatch.setenv("OPENAI_API_KEY", "one-secret\nsecond-secret")
    with pytest.raises(LlmError, match="OPENAI_API_KEY holds is no key") as told:
        run(rows(2), terms(server.url))
    assert "secret" not in str(told.value)
    assert not server.state.received


def test_a_budget_is_never_passed(fake_llm):
    """Calls and money stop at the cap, with what is in flight reserved at its dearest."""
    server = fake_llm()
    made, progress = run(rows(50), terms(server.url, purse=Purse(calls=20)))
    assert (progress.stop, len(made), sum(server.state.received.values())) == ("budget", 20, 20)
    prices = Prices(input=10.0, output=1000.0)
    made, progress = run(rows(50), terms(server.url, purse=Purse(usd=0.5), prices=prices))
    assert progress.stop == "budget"
    assert 0 < sum(row["cost_usd"] for row in made) <= 0.5


def test_a_dead_endpoint_ends_the_run_and_a_living_one_takes_its_calls(fake_llm):
    """Alone, nothing but failures ends in a sentence; in a pool, everything is answered by the other."""
    dead = fake_llm()
    dead.close()
    _, progress = run(rows(20), terms(dead.url, give_up_s=1.0))
    assert progress.stop == "unwell"
    assert "nothing but failures" in progress.why
    living = fake_llm()
    made, progress = run(rows(60), terms(dead.url, living.url))
    assert progress.answered == 60
    assert {row["endpoint"] for row in made} == {living.url.removeprefix("http://")}


def test_a_server_that_takes_no_request_ends_the_run(fake_llm):
    """A misspelt model or path is told after some requests, not after a hundred thousand."""
    server = fake_llm()
    made, progress = run(rows(100), terms(server.url.replace("/v1", "/v2")))
    assert progress.stop == "unwell"
    assert "takes none of the requests: 404" in progress.why
    assert len(made) < 60


def test_calls_end_at_the_deadline_of_a_wave(fake_llm):
    """What was sent is stored, what was not stays open."""
    server = fake_llm(median_s=0.3, p99_s=0.31)
    made, progress = run(rows(500), terms(server.url, wave_s=1.0))
    assert progress.stop == "deadline"
    assert 0 < len(made) < 500
    assert len(made) == sum(server.state.answered.values())


def test_a_server_without_structured_output_is_asked_without(fake_llm):
    """The form is asked for in the template, too: the row says that nothing enforced it."""
    server = fake_llm(structured=False)
    made, progress = run(rows(10), terms(server.url))
    assert progress.answered == 10
    assert not any(row["structured"] for row in made)


def test_an_error_that_quotes_the_form_speaks_of_one_request(fake_llm):
    """A server that repeats what it was sent refuses this request alone: the others keep their form."""
    server = fake_llm(faults=["quoting:0.3:99"])
    made, progress = run(rows(30), terms(server.url))
    assert 0 < progress.answered < 30
    assert all(row["structured"] for row in made if row["answered"])
    assert {(row["error_class"], row["calls"]) for row in made if not row["answered"]} == {("request", 2)}


def test_an_endpoint_without_structured_output_takes_none_from_another(fake_llm):
    """The other's answers keep their form, and the one is soon asked without it: not every request is asked twice."""
    without, with_it = fake_llm(structured=False), fake_llm()
    made, progress = run(rows(80), terms(without.url, with_it.url, max_in_flight=2))
    assert progress.answered == 80
    by_label = Counter((row["endpoint"], row["structured"]) for row in made)
    one, other = (Endpoint(server.url).label for server in (without, with_it))
    assert set(by_label) == {(one, False), (other, True)}
    assert progress.calls < 90


def test_the_pool_stays_full_beside_a_slow_answer(fake_llm):
    """One hanging call holds one place: the others go on in the other fifteen."""
    # Answers take so long that all places are taken before the first is free, on a machine that is busy as well.
    server = fake_llm(faults=["hang:0.05:1"], median_s=1.0, p99_s=1.1)
    _, progress = run(rows(60), terms(server.url, timeout_s=5.0))
    assert progress.answered == 60
    assert sum(server.state.received.values()) > 60, "none of the calls hung"
    assert server.state.most_in_flight == 16


def test_a_rate_is_kept(fake_llm):
    """Calls go out one after another on the grid, however many may be in flight."""
    server = fake_llm()
    run(rows(30), terms(server.url, requests_per_minute=600))
    times = sorted(server.state.times)
    assert times[-1] - times[0] >= 29 * 0.1 - 0.3


def test_what_a_kill_can_lose_is_bounded(fake_llm):
    """With storage that is slow, calls wait for it: never more is open than what may be in flight and one segment."""
    server = fake_llm()
    stored: list[int] = []

    def slow(segment: list[Any]) -> None:
        time.sleep(0.2)
        stored.append(len(segment))
        assert sum(server.state.answered.values()) - sum(stored) <= 16 + OPEN_ROWS

    made, _ = run(rows(400), terms(server.url), slow)
    assert len(made) == 400
    assert max(stored) <= OPEN_ROWS


@pytest.mark.parametrize("name", provider_names())
def test_every_provider_ends_every_request_as_a_row(fake_llm, name):
    """The contract over providers/: a name, a sentence, and one row for each request, none raising."""
    provider = load_provider(name)
    assert name == provider.NAME
    assert len(provider.DOC.split()) > 3
    server = fake_llm()
    model = {"rules": "rephrase"}.get(name, "fake")
    made, progress = run(rows(20), terms(server.url, provider=name, model=model))
    assert len(made) == 20
    assert not progress.stop
    assert bool(server.state.received) is provider.CALLS
    assert progress.answered == (0 if name == "replay" else 20)


def test_a_rule_sees_what_the_messages_quote():
    """rules/rephrase rewords the statement; the same request always has the same answer."""
    first, second = (run(rows(1), terms(provider="rules", model="rephrase"))[0][0]["body"] for _ in range(2))
    assert first == second
    assert "Task 0." in json.loads(parsed(first, rows(1)[0]["schema"]).value or "")["story"]


def test_no_key_is_needed_where_none_is_wanted(fake_llm, monkeypatch):
    """A server of one's own without keys is called without a variable being set."""
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "OPENAI_API_KEY" not in os.environ
    _, progress = run(rows(3), terms(fake_llm().url))
    assert progress.answered == 3


def test_tries_of_what_is_not_tried_again_are_counted(fake_llm):
    """A server that only fails: every call of a budget is in a row, those of waiting requests, too."""
    server = fake_llm(faults=["error500:1:99"])
    made, progress = run(rows(30), terms(server.url, purse=Purse(calls=18)))
    assert progress.stop == "budget"
    assert sum(server.state.received.values()) == 18
    assert sum(row["calls"] for row in made) == 18
    assert {row["error_class"] for row in made} == {"server"}
    assert len({row["request_key"] for row in made}) == len(made)
    assert all("the run stopped: budget" in row["error"] for row in made)


def test_a_call_that_is_cut_off_is_counted(fake_llm):
    """Calls that hang while a refused key ends the run: they were made, and a row says so."""
    server = fake_llm(faults=["auth:0.2:99", "hang:1:99"])
    made, progress = run(rows(20), terms(server.url, timeout_s=60.0))
    assert progress.stop == "auth"
    assert Counter({row["request_key"]: row["calls"] for row in made}) == server.state.received
    assert {row["error_class"] for row in made} == {"auth", "timeout"}


def test_a_provider_that_breaks_its_word_costs_one_row(fake_llm):
    """An exception that is none of ours ends its request as a failure without the key, and no neighbour's."""

    async def broken(request: Any, endpoint: Endpoint) -> Reply:
        if request["messages"] == given[3]["messages"]:
            raise OverflowError(f"{KEY} is too large")
        return Reply(json.dumps({"choices": [{"message": {"content": "{}"}}]}))

    given = rows(10)
    made, progress = run(given, terms(fake_llm().url), asking=broken)
    assert (progress.answered, progress.failed) == (9, 1)
    assert [row["error"] for row in made if not row["answered"]] == ["OverflowError: [key] is too large"]


@pytest.mark.parametrize("asked", ["Fri, 31 Dec 2026 23:59:59 +99999999999999", "soon", "", "nan", "Fri, 99"])
def test_a_pause_that_nobody_understands_is_none(asked):
    """Whatever stands in the header, the call has failed and nothing else."""
    assert openai._retry_after({"retry-after": asked}) is None


def test_a_pause_that_was_asked_for_is_no_illness(fake_llm):
    """A provider that names a pause longer than a run bears failures is waited for."""
    server = fake_llm(faults=["patience:1:1"])
    _, progress = run(rows(5), terms(server.url, give_up_s=0.8))
    assert (progress.stop, progress.answered) == ("", 5)


def test_nothing_is_sent_into_a_pause(fake_llm):
    """The endpoint asks for patience while the next call waits for its slot of the rate: it waits for both."""
    sent: list[float] = []

    async def patient(request: Any, endpoint: Endpoint) -> Reply:
        sent.append(time.monotonic())
        if len(sent) == 1:
            raise CallFailed(ErrorClass.RATE, "later", 1.5)
        return Reply(json.dumps({"choices": [{"message": {"content": "{}"}}]}))

    _, progress = run(rows(3), terms(fake_llm().url, requests_per_minute=120), asking=patient)
    assert progress.answered == 3
    assert sent[1] - sent[0] >= 1.5


def test_asking_without_a_form_is_a_call_of_its_own(fake_llm):
    """The server that does not know response_format gets no call beside the budget, and each is counted."""
    server = fake_llm(structured=False)
    made, progress = run(rows(10), terms(server.url, max_in_flight=2, purse=Purse(calls=11)))
    assert sum(server.state.received.values()) == sum(row["calls"] for row in made) == progress.calls == 11
    assert progress.stop == "budget"


def test_a_prompt_that_a_filter_refuses_is_a_row(fake_llm):
    """One 403 among answers is that request's; where nothing else is asked or answered, it is the key's."""
    # So slow, and so differently, that a call is never alone but where it is the only one.
    server = fake_llm(faults=["forbidden:0.1:99"], median_s=0.4, p99_s=1.6)
    made, progress = run(rows(40), terms(server.url))
    assert not progress.stop
    assert {row["error_class"] for row in made if not row["answered"]} == {"request"}
    server.misbehave("forbidden:1:99")
    for count, stop in ((1, "auth"), (100, "unwell")):
        made, progress = run(rows(count), terms(server.url))
        assert progress.stop == stop
        assert "403: content_policy" in progress.why
        assert len(made) < 60


def test_what_was_declined_before_ends_no_run(fake_llm):
    """A filter's prompts are all that a second run has to ask: they are declined again, and the run goes on."""
    server = fake_llm(faults=["forbidden:1:99"])
    for count in (1, 50):
        made, progress = run([row | {"declined": True} for row in rows(count)], terms(server.url))
        assert (progress.stop, progress.failed) == ("", count)
        assert {row["error_class"] for row in made} == {"request"}


def test_a_provider_that_calls_nobody_spends_no_call():
    """Rules and stored answers are no calls, in rows and counts."""
    made, progress = run(rows(3), terms(provider="rules", model="rephrase"))
    assert progress.calls == sum(row["calls"] for row in made) == 0
    assert {row["attempts"] for row in made} == {1}
