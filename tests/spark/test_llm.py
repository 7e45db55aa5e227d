"""Stages ask models: frame in, values and typed errors out; what is stored is never asked again, whatever happens."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasklake.jobs import fingerprints
from tasklake.jobs.commands import Shared
from tasklake.jobs.commands import asking as commands
from tasklake.jobs.config import load_settings
from tasklake.jobs.lake import Lake, LakeUri, look
from tasklake.jobs.llm import answering, calling, files, requests
from tasklake.jobs.llm.calling import Spent
from tasklake.jobs.recipe import load_recipe
from tasklake.jobs.stage import Run
from tasklake.udfs.llm.errors import LlmError
from tasklake.udfs.llm.fake import batches
from tasklake.udfs.llm.terms import Purse

pytestmark = pytest.mark.spark

RECIPE = """
name: ours
source: {{source: mbpp, path: /nowhere.jsonl}}
stages: [ingest]
llm:
  model: openai/fake
  base_url: {url}
  max_in_flight: 8
  timeout_s: 3
  give_up_s: 2
  parameters: {{max_tokens: 50}}
  prices: {{input: 1, output: 10}}
"""


class Asking:
    """One lake, asked by as many runs as a test makes."""

    def __init__(self, spark: Any, lake: Path, folder: Path, url: str):
        self.spark, self.uri, self.folder = spark, LakeUri.parse(str(lake)), folder
        self.runs = 0
        (folder / "recipe.yaml").write_text(RECIPE.format(url=url))

    def run(self, *changes: str, dry: bool = False) -> Run:
        """A new run on the lake."""
        self.runs += 1
        recipe = load_recipe(str(self.folder / "recipe.yaml"), changes)
        settings = load_settings(lake=str(self.uri), session="existing")
        lake = Lake(self.spark, self.uri, run_id=f"run-{self.runs}")
        return Run(self.spark, lake, recipe, settings, f"run-{self.runs}", lambda stage, facts: None, dry)

    def asked(self, names: list[str], template: str = "story") -> Any:
        """A frame that asks one completion for each name."""
        other = dict.fromkeys(("input_format", "output_format", "sample"), "One line.")
        rows = [(name, template, {"statement": f"Do {name}."} | other, 0) for name in names]
        return self.spark.createDataFrame(rows, requests.ASKED)

    def ask(self, names: list[str], *changes: str) -> dict[str, Any]:
        """What a new run gets back, by name."""
        run = self.run(*changes)
        rows = answering.ask(run, "try", self.asked(names)).collect()
        assert Counter(row["ask"] for row in rows) == Counter(names)
        self.spent: Spent = run.memo["llm try"]
        return {row["ask"]: row for row in rows}

    def stored(self, where: str = "true") -> list[dict[str, Any]]:
        """The responses in the table."""
        found: list[dict[str, Any]] = look.query(
            str(self.uri), f"SELECT * FROM llm_responses WHERE {where}"
        ).to_pylist()
        return found


@pytest.fixture
def asking(spark, empty_lake, tmp_path, fake_llm) -> Callable[..., tuple[Asking, Any]]:
    """A lake of its own with a server that behaves as told."""

    def made(**behaviour: Any) -> tuple[Asking, Any]:
        shutil.copytree(empty_lake, tmp_path / "lake")
        server = fake_llm(**behaviour)
        return Asking(spark, tmp_path / "lake", tmp_path, server.url), server

    return made


NAMES = [f"n{number}" for number in range(30)]


def test_every_completion_comes_back_once_and_is_never_asked_again(asking):
    """Asked again in another order, with more rows or over more tasks: only what is new is sent."""
    ours, server = asking()
    first = ours.ask(NAMES)
    assert all(json.loads(row["value"])["story"] for row in first.values())
    assert sum(server.state.received.values()) == len(NAMES)
    server.forget()
    again = ours.ask([*reversed(NAMES), "more"], "llm.tasks=3")
    assert {name: again[name]["value"] for name in NAMES} == {name: first[name]["value"] for name in NAMES}
    assert sum(server.state.received.values()) == 1
    assert (ours.spent.asked, ours.spent.known) == (31, 30)
    assert len(ours.stored("answered")) == 31
    assert {row["made_by"] for row in ours.stored()} != {None}


def test_equal_requests_are_one_call(asking):
    """Two rows that ask for the same share the answer."""
    ours, server = asking()
    run = ours.run()
    frame = ours.asked(["a", "b"]).withColumn("variables", ours.asked(["a"]).first()["variables"] and _same())
    rows = answering.ask(run, "try", frame).collect()
    assert len({row["request_key"] for row in rows}) == 1
    assert sum(server.state.received.values()) == 1


def _same() -> Any:
    from pyspark.sql import functions as F

    pairs = [
        F.lit(text) for name in ("statement", "input_format", "output_format", "sample") for text in (name, "same")
    ]
    return F.create_map(*pairs)


def test_a_wrong_form_is_told_to_the_model_once(asking):
    """The answer that is wrong stays as it is; another request holds it and what is wrong with it."""
    ours, server = asking(faults=["schema:0.4", "malformed:0.3"])
    found = ours.ask(NAMES)
    turns = Counter(row["turn"] for row in found.values())
    assert turns[1] > 5
    assert len(ours.stored("answered")) == len(NAMES) + turns[1]
    told = {row["error_class"] for row in found.values()}
    assert told <= {None, "schema", "malformed"}
    received = sum(server.state.received.values())
    assert ours.ask(NAMES) == found
    assert sum(server.state.received.values()) == received


def test_failures_are_rows_and_the_next_run_tries_again(asking):
    """A class for each that failed; once the server is well, only those are asked, and the failures stay as history."""
    ours, server = asking(faults=["notjson:0.4:99"])
    found = ours.ask(NAMES)
    failed = {name for name, row in found.items() if row["error_class"]}
    assert 3 < len(failed) < 25
    assert {found[name]["error_class"] for name in failed} == {"malformed"}
    server.misbehave()
    server.forget()
    assert not [row for row in ours.ask(NAMES).values() if row["error_class"]]
    assert sum(server.state.received.values()) == len(failed)
    assert len(ours.stored("NOT answered")) == len(failed)


def test_a_refused_key_ends_the_run_in_one_sentence(asking):
    """What was answered before is stored; the sentence names the variable."""
    ours, _ = asking(faults=["auth:0.5:99"])
    with pytest.raises(LlmError, match=r"refuses the key of OPENAI_API_KEY.*run again"):
        ours.ask(NAMES)
    assert ours.stored("answered") or ours.stored("NOT answered")


def test_a_budget_holds_over_runs(asking):
    """Run after run, no more than the cap is ever called; raised, the rest is done."""
    ours, server = asking()
    for _ in range(2):
        with pytest.raises(LlmError, match=r"budget of recipe ours \(calls 20\) is used up with 10 requests open"):
            ours.ask(NAMES, "llm.budget.calls=20")
        assert sum(server.state.received.values()) == 20
    assert not [row for row in ours.ask(NAMES, "llm.budget.calls=30", "llm.tasks=2").values() if row["error_class"]]
    assert sum(server.state.received.values()) == 30


def test_prompts_that_a_filter_declines_end_no_run(asking):
    """One 403 among answers, and in the next run that one alone: a row both times."""
    ours, server = asking(faults=["forbidden:0.1:99"])
    declined = {name for name, row in ours.ask(NAMES).items() if row["error_class"] == "request"}
    assert declined
    server.forget()
    assert {name for name, row in ours.ask(NAMES).items() if row["error_class"]} == declined
    assert sum(server.state.received.values()) == len(declined)


def test_each_recipe_pays_for_what_it_sends(asking):
    """Requests that another recipe asked first and could not pay for are paid for by who sends them, up to its cap."""
    ours, server = asking()
    for name, sent in (("ours", 10), ("b", 20), ("b", 20)):
        with pytest.raises(LlmError, match=f"budget of recipe {name} "):
            ours.ask(NAMES, f"name={name}", "llm.budget.calls=10")
        assert sum(server.state.received.values()) == sent
    assert Counter(row["recipe"] for row in ours.stored()) == {"ours": 10, "b": 10}


def test_calls_that_brought_nothing_are_paid_for(asking):
    """A server that only fails is called as often as the budget says, over all runs."""
    ours, server = asking(faults=["error500:1:99"])
    for _ in range(2):
        with pytest.raises(LlmError, match="budget of recipe ours"):
            ours.ask(NAMES, "llm.budget.calls=10", "llm.give_up_s=60")
        assert sum(server.state.received.values()) == 10
    assert sum(row["calls"] for row in ours.stored()) == 10
    server.misbehave()
    found = ours.ask(NAMES, "llm.budget.calls=40")
    assert not [row for row in found.values() if row["error_class"]], "what failed is open for the next run"


def test_a_budget_smaller_than_the_tasks_is_used(asking):
    """Three calls for four tasks are none for each: one task makes them."""
    ours, server = asking()
    with pytest.raises(LlmError, match="is used up with 27 requests open"):
        ours.ask(NAMES, "llm.budget.calls=3", "llm.tasks=4")
    assert sum(server.state.received.values()) == 3


def test_half_a_character_ends_no_run(asking):
    """An answer that holds one is told to the model and stays wrong; the rest is as ever."""
    ours, _ = asking(script=({"contains": "Do n3.", "answer": '{"story": "\ud83d"}'},))
    found = ours.ask(NAMES)
    assert {name for name, row in found.items() if row["error_class"]} == {"n3"}
    assert found["n3"]["content"] == '{"story": "?"}'


def test_a_budget_is_dealt_out_anew_until_nothing_fits(asking):
    """Four tasks with unequal work use all of a budget that suffices: what one leaves another gets."""
    ours, server = asking()
    ours.ask(NAMES, "llm.budget.calls=34", "llm.tasks=4")
    assert sum(server.state.received.values()) == 30


def test_replay_calls_nobody(asking):
    """Stored answers of the model behind it are used; what is not stored is an error row of its own class."""
    ours, server = asking()
    first = ours.ask(NAMES[:10])
    server.forget()
    found = ours.ask(NAMES, "llm.model=replay/openai/fake")
    assert {found[name]["value"] for name in NAMES[:10]} == {row["value"] for row in first.values()}
    assert {found[name]["error_class"] for name in NAMES[10:]} == {"unrecorded"}
    assert not server.state.received


def test_a_missing_variable_is_an_error_before_anything_is_sent(asking):
    """Rendering is strict: nothing is stored and nothing is asked."""
    ours, server = asking()
    frame = ours.spark.createDataFrame([("a", "story", {"statement": "x"}, 0)], requests.ASKED)
    with pytest.raises(Exception, match="template story is missing"):
        answering.ask(ours.run(), "try", frame)
    assert not server.state.received


def test_no_rows_ask_nothing(asking):
    """Empty in, empty out, no commit."""
    ours, server = asking()
    before = Lake(ours.spark, ours.uri).versions()
    assert ours.ask([]) == {}
    assert Lake(ours.spark, ours.uri).versions() == before
    assert not server.state.received


def test_a_run_without_news_commits_nothing(asking):
    """Asked twice, the second time makes no version of any table."""
    ours, _ = asking()
    ours.ask(NAMES)
    before = Lake(ours.spark, ours.uri).versions()
    ours.ask(NAMES)
    assert Lake(ours.spark, ours.uri).versions() == before


TEMPLATE = """---
name: {name}
version: {version}
variables: {{statement: data, input_format: data, output_format: data, sample: data}}
---
## system
Answer for {name}.
## user
{{{{statement}}}}

{{{{input_format}}}}

{{{{output_format}}}}

{{{{sample}}}}
"""


def test_one_changed_template_of_three_is_asked_again_alone(asking, tmp_path, monkeypatch):
    """Templates of one's own, one of them edited: its calls and no others; a better parser asks for nothing."""
    ours, server = asking()
    prompts = tmp_path / "plugins" / "prompts"
    prompts.mkdir(parents=True)
    monkeypatch.setenv("TASKLAKE_PLUGINS", str(prompts.parent))

    def ask(**versions: int) -> int:
        server.forget()
        for name, version in versions.items():
            (prompts / f"{name}.md").write_text(TEMPLATE.format(name=name, version=version))
        parts = [ours.asked([f"{name}-{n}" for n in range(10)], name) for name in ("one", "two", "three")]
        found = answering.ask(ours.run(), "try", parts[0].unionByName(parts[1]).unionByName(parts[2]))
        assert found.where("value IS NOT NULL").count() == 30
        return sum(server.state.received.values())

    assert ask(one=1, two=1, three=1) == 30
    assert ask(two=2) == 10
    before = fingerprints.asking(ours.run(), "solve")
    monkeypatch.setattr(fingerprints, "PARSER_VERSION", "better")
    assert fingerprints.asking(ours.run(), "solve") != before, "values are read anew"
    assert ask() == 0


def test_an_export_after_a_kill_holds_only_what_nobody_answered(asking, tmp_path):
    """What a killed run had finished lies in its spool: it is stored first, and not paid for again by a batch."""
    ours, server = asking()
    run = ours.run()
    turns, spool = requests.rendered(run, ours.asked(NAMES)), calling.Spool(run, "try")
    requests.store(run, "try", turns)
    # The driver dies when its tasks have finished, before anything is in the table.
    spool.control.open_fence(run.run_id)
    calling.Job(turns, requests.model(run).terms(Purse()), spool.place).run()
    assert not ours.stored()
    assert sum(server.state.received.values()) == len(NAMES)
    (file,) = files.export(ours.run(), "try", ours.asked([*NAMES, "more"]), tmp_path / "r.jsonl")
    assert file.requests == 1
    assert len(ours.stored("answered")) == len(NAMES)


def test_an_export_before_there_are_tasks_says_what_to_run(asking, tmp_path):
    """Nothing was asked, so nothing is answered: the user is told which stages come first."""
    ours, _ = asking()
    recipe = tmp_path / "early.yaml"
    recipe.write_text((tmp_path / "recipe.yaml").read_text() + "propose: {provider: llm}\nlanguages: [python]\n")
    shared = Shared(str(ours.uri), as_json=True, debug=False)
    said = commands.export(shared, str(recipe), "propose", tmp_path / "r.jsonl")
    assert "nothing to ask yet: run tasklake run" in str(said.view[0])
    assert "--until ground" in str(said.view[0])


def test_a_good_line_behind_a_broken_one_counts(asking, tmp_path):
    """A body that is no completion is a failure, wherever it stands; the answer to the same request is taken."""
    ours, server = asking()
    (file,) = files.export(ours.run(), "try", ours.asked(["a"]), tmp_path / "r.jsonl")
    (line,) = batches.results(server.state, file.path.read_bytes()).splitlines()
    broken = json.loads(line)
    broken["response"]["body"] = {"choices": []}
    (tmp_path / "results.jsonl").write_bytes(json.dumps(broken).encode() + b"\n" + line + b"\n")
    told = files.take(ours.run().lake, [tmp_path / "results.jsonl"])
    assert (told.answers, told.failures, told.repeated, told.open) == (1, 1, 0, 0)


@pytest.mark.parametrize("size", [500, pytest.param(5000, marks=pytest.mark.wide)])
def test_a_batch_with_gaps_and_errors_is_whole_after_the_second_round(asking, tmp_path, size):
    """7 % of the lines missing, 3 % errors, some twice, out of order: nothing is lost, doubled or asked live."""
    ours, server = asking(faults=["error500:0.03:1"])
    names = [f"n{number}" for number in range(size)]
    missing, some = size * 7 // 100, size // 10

    def exported(out: str) -> list[bytes]:
        (file,) = files.export(ours.run(), "try", ours.asked(names), tmp_path / out)
        return file.path.read_bytes().splitlines(keepends=True)

    def imported(lines: list[bytes], place: str) -> files.Imported:
        (tmp_path / place).write_bytes(b"".join(lines))
        return files.take(ours.run().lake, [tmp_path / place])

    asked = exported("first.jsonl")
    assert len(asked) == size
    results = batches.results(server.state, b"".join(asked)).splitlines(keepends=True)
    kept, twice = results[missing:], slice(some, some + size // 25)
    told = imported([*kept[: 4 * some], *kept[twice], b"{broken\n", *kept[4 * some :]], "results.jsonl")
    errors = sum(b'"status_code": 500' in line for line in kept)
    assert (told.lines, told.wrong, told.unknown) == (size - missing + size // 25 + 1, 1, 0)
    assert told.repeated + sum(b'"status_code": 500' in line for line in kept[twice]) == size // 25
    assert told.open == missing + errors
    assert imported(kept, "again.jsonl").new == 0
    again = exported("second.jsonl")
    assert len(again) == missing + errors
    assert imported(batches.results(server.state, b"".join(again)).splitlines(keepends=True), "rest.jsonl").open == 0
    server.forget()
    assert not [row for row in ours.ask(names).values() if row["error_class"]]
    assert not server.state.received
    assert len(ours.stored("answered")) == size
    assert {row["executor"] for row in ours.stored()} == {"batch"}
