"""What a recipe says about models is checked with its line, and means what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklake.jobs import cli
from tasklake.jobs.recipe import RecipeError, load_recipe
from tasklake.udfs.llm.terms import Purse

RECIPE = """name: ours
source: {source: mbpp, path: /nowhere.jsonl}
llm:
  model: openai/fake
propose: {provider: llm}
"""
MISTAKES = {
    "no provider": (("openai/fake", "fake"), r":4: llm.model: model fake must be of the form <provider>/<name>"),
    "a slip": (("openai/fake", "opnai/fake"), r":4: .*did you mean openai\?"),
    "a slip behind replay": (("openai/fake", "replay/opnai/fake"), r":4: .*did you mean openai\?"),
    "an unknown key": (("model: openai/fake", "model: openai/fake\n  budgett: {usd: 1}"), r":5: .*llm.budget\?"),
    "no URL": (("model: openai/fake", "model: openai/fake\n  base_url: host:80"), ":5: .*must be a URL"),
    "a key in the URL": (("model: openai/fake", "model: openai/fake\n  base_url: http://u:p@h/v1"), ":5: .*password"),
    "a port that is none": (("openai/fake", "openai/fake\n  base_url: http://h:abc/v1"), ":5: .*must be a URL"),
    "a host that is none": (("openai/fake", "openai/fake\n  base_url: http://a..b/v1"), ":5: .*must be a URL"),
    "a key in place of its name": (
        ("openai/fake", "openai/fake\n  key: hf_AbCdEf0123456789"),
        ":5: llm.key: must name the environment variable that holds the key, such as OPENAI_API_KEY$",
    ),
    "two ways to say where": (
        ("openai/fake", "openai/fake\n  base_url: http://a/v1\n  endpoints: [{base_url: http://b/v1}]"),
        ":6: .*keep one of the two",
    ),
    "a parameter that is none": (
        ("openai/fake", "openai/fake\n  parameters: {temprature: 1}"),
        r":5: .*did you mean llm.parameters.temperature\?",
    ),
    "money without prices": (
        ("openai/fake", "openai/fake\n  parameters: {max_tokens: 9}\n  budget: {usd: 20}"),
        r":6: llm.budget limits .*all prices are 0: set llm.prices",
    ),
    "money for answers of any length": (
        ("openai/fake", "openai/fake\n  prices: {output: 1}\n  budget: {usd: 20}"),
        r":6: llm.budget limits .*set llm.parameters.max_tokens",
    ),
    "tokens for answers of any length": (
        ("openai/fake", "openai/fake\n  budget: {tokens: 20}"),
        r":5: llm.budget limits .*set llm.parameters.max_tokens",
    ),
    "no section": (("llm:\n  model: openai/fake\n", ""), "propose asks a model: add a section llm"),
    "a path beside a model": (
        ("{provider: llm}", "{provider: llm, path: a.jsonl}"),
        ":5: .*only provider replay reads",
    ),
}


def load(folder: Path, *change: str, overrides: tuple[str, ...] = ()):
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.replace(*change) if change else RECIPE)
    return load_recipe(str(path), overrides)


@pytest.mark.parametrize(("change", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path, change, told):
    """The file, the line, what is wrong, and the nearest right word."""
    with pytest.raises(RecipeError, match=told):
        load(tmp_path, *change)


def test_terms_hold_what_the_recipe_says_and_no_secret(tmp_path):
    """Endpoints, rates and prices go to tasks; of a key only the name of its variable."""
    given = ("llm.key=MINE", "llm.tasks=4", "llm.requests_per_minute=60", "llm.prices.input=2")
    llm = load(tmp_path, overrides=given).llm
    terms = llm.terms(Purse(calls=10))
    assert (terms.provider, terms.model, terms.share) == ("openai", "fake", 16)
    assert [endpoint.key for endpoint in terms.endpoints] == ["MINE"]
    assert terms.prices.usd(1_000_000, 0) == 2


@pytest.mark.parametrize("model", ["openai/fake", "replay/openai/fake", "rules/echo"])
def test_rates_and_budgets_are_for_providers_that_call(tmp_path, model):
    """Who calls nobody spends nothing and waits for nobody, and needs no price for a budget."""
    given = ("llm.requests_per_minute=60", "llm.tokens_per_minute=60", "llm.budget.calls=5")
    llm = load(tmp_path, "openai/fake", model, overrides=given).llm
    terms = llm.terms(Purse(calls=5))
    live = model == "openai/fake"
    assert (terms.requests_per_minute, terms.tokens_per_minute, terms.purse.calls) == (
        (60, 60, 5) if live else (None, None, None)
    )
    if not live:
        load(tmp_path, "openai/fake", model, overrides=("llm.budget.usd=20", "llm.budget.tokens=20"))


def test_replay_stands_for_the_model_behind_it(tmp_path):
    """Its requests are those of the model, so that stored answers are found."""
    live, replayed = (load(tmp_path, "openai/fake", name).llm for name in ("openai/fake", "replay/openai/fake"))
    assert live.identity == replayed.identity == "openai/fake"
    assert replayed.terms(Purse()).provider == "replay"


@pytest.mark.parametrize("word", cli.MODELS)
def test_commands_about_models_have_help(word, capsys):
    """Each says in a sentence what it does, and takes what every command takes."""
    assert cli.main(["llm", word, "--help"]) == 0
    page = capsys.readouterr().out
    assert "--json" in page
    assert "--dir" in page
