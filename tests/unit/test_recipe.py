"""Recipes: data with every mistake told at once, beside its line and the nearest right name."""

from __future__ import annotations

import itertools
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tasklake.jobs.config import UsageError
from tasklake.jobs.recipe import STAGES, Limits, Recipe, RecipeError, load_recipe, packaged_recipes

GOOD = "name: mine\nsource: {source: mbpp, path: rows.jsonl}\nstages: [ingest, reformulate]\n"


def write(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def refused(name: str, *overrides: str) -> RecipeError:
    with pytest.raises(RecipeError) as error:
        load_recipe(name, overrides)
    return error.value


TEN_MISTAKES = """\
name: My Recipe
descripton: misspelt key
sources:
  - source: mbpp
    pth: rows.jsonl
  - source: codeforces
    path: rows.jsonl
    limit: 0
languages: [lua, lua]
stages: [ingest, reformulat]
limits:
  cpu_s: 5
  wall_s: 2
ground: {attempts: twice}
execute:
  isolation: stict
gate:
  min_cases: 2
gate:
  min_cases: .nan
"""

EXPECTED = [
    (1, "name is 'My Recipe'"),
    (2, "did you mean description?"),
    (4, "sources.0.path is missing"),
    (5, "unknown key sources.0.pth: did you mean sources.0.path?"),
    (8, "sources.1.limit is 0; must be greater than or equal to 1"),
    (9, "names lua twice"),
    (10, "did you mean reformulate?"),
    (13, "limits.wall_s is 2; must be at least cpu_s (5)"),
    (14, "ground.attempts is 'twice'; must be a whole number"),
    (16, "did you mean strict?"),
    (19, "gate is given twice"),
]


def test_every_mistake_is_told_at_once_with_its_line_and_the_right_name(tmp_path: Path) -> None:
    file = write(tmp_path, TEN_MISTAKES)
    error = refused(file)
    assert [mistake.where for mistake in error.mistakes] == [f"{file}:{line}" for line, _ in EXPECTED]
    for mistake, (_, said) in zip(error.mistakes, EXPECTED, strict=True):
        assert said in mistake.what
    assert all(str(mistake) in str(error) for mistake in error.mistakes)
    assert f"{len(EXPECTED)} mistakes" in str(error)


def test_a_second_value_of_a_key_does_not_hide_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    error = refused(write(tmp_path, GOOD + "name: again\nground: {attempts: 0}\n"))
    assert [mistake.where.rpartition(":")[2] for mistake in error.mistakes] == ["4", "5"]


@pytest.mark.parametrize(
    "ground", ["{attempts: 1, attempts: 2}", "{attempts: 1, attempts: 2, limits: {}}", "{attempts: 1, attempts: 2 , }"]
)
def test_a_key_given_twice_between_brackets_is_told_with_its_line(tmp_path: Path, ground: str) -> None:
    """One mistake and no other: what stands between the brackets beside it is read on."""
    file = write(tmp_path, f"{GOOD}ground: {ground}\n")
    (mistake,) = refused(file).mistakes
    assert str(mistake) == f"{file}:4: attempts is given twice; keep one of the two"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: [mine\nsource: x\n", None),
        ("- a list\n", None),
        ("", None),
        ("just text\n", None),
        ("name: mine\n\tsource: x\n", 2),
        ("name: mine\nrevision: 2024-13-45\n", 2),
        ("name: " + "[" * 5000 + "\n", None),
        ("name: &a [x, x]\nother: &b [*a, *a]\nmore: [*b, *b]\n3: x\n", 4),
    ],
)
def test_what_is_no_yaml_mapping_is_one_mistake_with_its_file(tmp_path: Path, text: str, line: int | None) -> None:
    file = write(tmp_path, text)
    error = refused(file)
    assert len(error.mistakes) == 1
    assert error.mistakes[0].where.startswith(file)
    assert line is None or error.mistakes[0].where == f"{file}:{line}"


def test_a_file_that_cannot_be_a_recipe_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"name: \xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_recipe(str(binary))
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("x" * (2 << 20))
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        load_recipe(str(corpus))
    with pytest.raises(UsageError, match="no recipe"):
        load_recipe(str(tmp_path))


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean mbpp-rules"):
        load_recipe("mbpp-rulez")


@pytest.mark.parametrize("name", packaged_recipes())
def test_every_packaged_recipe_loads_under_its_own_name(name: str) -> None:
    text = (Path(__file__).parents[2] / "jobs" / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    needs_path = "path" not in str(yaml.safe_load(text))
    recipe = load_recipe(name, ["source.path=rows.jsonl"] if needs_path else [])
    assert recipe.name == name
    assert recipe.description


@pytest.mark.parametrize("name", packaged_recipes())
def test_every_key_of_a_packaged_recipe_has_its_reason_above_it(name: str) -> None:
    text = (Path(__file__).parents[2] / "jobs" / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    told_by_their_section = {"name:", "description:", "source:", "path:", "- source:"}
    for above, line in itertools.pairwise(lines):
        key, colon, value = line.strip().partition(": ")
        if colon and not key.startswith("#") and value and f"{key}:" not in told_by_their_section:
            assert above.strip().startswith("#"), f"{name}: {line.strip()} has no reason"


def test_the_recipe_for_mbpp_says_in_one_sentence_how_to_give_the_corpus() -> None:
    error = refused("mbpp-rules")
    assert "--set source.path=FILE" in str(error)
    assert "\n" not in str(error)
    assert load_recipe("mbpp-rules", ["source.path=/data/mbpp.jsonl"]).all_sources[0].path == ("/data/mbpp.jsonl",)


def test_set_reads_values_as_yaml_and_reaches_into_lists() -> None:
    recipe = load_recipe(
        "demo",
        [
            "sources.1.path=[a.jsonl, b.jsonl]",
            "execute.limits.cpu_s=3",
            "languages=lua",
            "release.name=tiny",
            "description=a: b",
            "settings.driver_memory=1g",
        ],
    )
    assert recipe.all_sources[1].path == ("a.jsonl", "b.jsonl")
    assert recipe.execute.limits.cpu_s == 3
    assert recipe.languages == ("lua",)
    assert recipe.release.name == "tiny"
    assert recipe.description == "a: b"
    assert recipe.settings.driver_memory == "1g"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("grond.attempts=2", "did you mean ground?"),
        ("execute.limits.cpu=3", "did you mean execute.limits.cpu_s?"),
        ("sources.7.path=x", "it has sources.0 and sources.1"),
        ("sources.path=x", "it has sources.0 and sources.1"),
        ("source.path=x", "it is spelled sources.0.path"),
        ("limits.cpu_s.x=3", "limits.cpu_s holds 2"),
        ("name.x=3", "name holds 'demo'"),
        ("gate.min_cases=none", "must be a whole number"),
        ("novalue", "is not of the form a.b=value"),
        ("grond", "did you mean ground?"),
        ("cpu_s=3", "did you mean limits.cpu_s?"),
        ("min_case=3", "did you mean gate.min_cases?"),
        ("sources.demo-mbp.path=x", "did you mean sources.0, which is demo-mbpp?"),
        ("=3", "is not of the form a.b=value"),
    ],
)
def test_a_wrong_set_is_told_beside_the_flag_and_not_beside_a_line(override: str, said: str) -> None:
    error = refused("demo", override)
    assert [mistake.where for mistake in error.mistakes] == [f"--set {override}"]
    assert said in error.mistakes[0].what


def test_an_empty_set_takes_a_value_away() -> None:
    assert load_recipe("demo", ["release.name="]).release.name is None


def test_several_wrong_sets_are_told_together() -> None:
    assert len(refused("demo", "grond.attempts=2", "ground.attempts=0", "gate.x=1").mistakes) == 3


def test_an_override_leaves_the_packaged_recipe_alone() -> None:
    before = load_recipe("demo")
    load_recipe("demo", ["limits.cpu_s=9"])
    assert load_recipe("demo") == before


def test_stages_are_accepted_exactly_when_each_has_those_it_reads_from(tmp_path: Path) -> None:
    for size in range(1, 4):
        for chosen in itertools.permutations(STAGES[:4], size):
            file = write(
                tmp_path, f"name: a\nsource: {{source: mbpp, path: x}}\npropose: {{path: y}}\nstages: {list(chosen)}\n"
            )
            if chosen == STAGES[:size]:
                assert load_recipe(file).stages == chosen
            else:
                assert "in this order" in str(refused(file))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nstages: [ingest]\n", "sources needs a corpus"),
        (GOOD + "sources: [{source: mbpp, path: x}]\n", "keep one of the two"),
        (
            "name: a\nsources: [{source: mbpp, path: x}, {source: mbpp, path: y}]\nstages: [ingest]\n",
            "two entries named mbpp",
        ),
        ("name: a\nsource: {source: mbpp, path: x}\n", "propose needs a path"),
        (GOOD + "languages: [offered, lua]\n", "beside offered"),
        (GOOD + "description: 2024-01-01\n", "put it in quotes"),
        (GOOD + "ground: {attempts: true}\n", "must be a whole number"),
        (GOOD + "limits: {cpu_s: .inf}\n", "must be a finite number"),
        (GOOD + "gate: {gates: []}\n", "must be all or a list of gates"),
        (GOOD + "gate: {gates: [verdict_is_acepted]}\n", "did you mean verdict_is_accepted?"),
        (GOOD.replace("mbpp", "mbp"), "did you mean mbpp?"),
        (GOOD + "attempts: 2\n", "did you mean ground.attempts?"),
        (GOOD + "execute: {isolation: paranoid}\n", "It is one of any, standard, strict, or a level: namespaces"),
        ("name: a\nsource: {source: mbpp, path: []}\nstages: [ingest]\n", "must not be empty"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    error = refused(write(tmp_path, text))
    assert said in str(error)
    assert len(error.mistakes) == 1


def test_a_source_is_known_by_its_reader_unless_it_has_a_name(tmp_path: Path) -> None:
    text = "name: a\nsources: [{source: mbpp, path: x}, {source: mbpp, name: other, path: y}]\nstages: [ingest]\n"
    assert [source.name for source in load_recipe(write(tmp_path, text)).all_sources] == ["mbpp", "other"]


def test_gates_are_all_or_those_named(tmp_path: Path) -> None:
    for spelled, meant in {
        "all": "all",
        "[all]": "all",
        "verdict_is_accepted": ("verdict_is_accepted",),
        "[verdict_is_accepted, program_is_text]": ("verdict_is_accepted", "program_is_text"),
    }.items():
        assert load_recipe(write(tmp_path, GOOD + f"gate: {{gates: {spelled}}}\n")).gate.gates == meant


def test_a_recipe_may_name_a_source_of_the_plugins_folder(tmp_path: Path) -> None:
    (tmp_path / "plugins" / "sources").mkdir(parents=True)
    (tmp_path / "plugins" / "sources" / "own.py").write_text(
        "LICENCE, VERSION, SCHEMA = 'MIT', '1', {'id': 'string'}\ndef problem(row): return row\n"
    )
    file = write(tmp_path, GOOD.replace("mbpp", "own"))
    assert load_recipe(file, plugins=tmp_path / "plugins").all_sources[0].source == "own"
    assert "among the sources" in str(refused(file))


def test_languages_are_those_of_the_packs(tmp_path: Path) -> None:
    """Each entry is checked at its own line, by id or name, plugins included; a broken pack is told as such."""
    folder = tmp_path / "plugins" / "languages"
    folder.mkdir(parents=True)
    (folder / "zig.yaml").write_text("filename: main.zig\nexecute: zig run main.zig\n")
    (folder / "hare.yaml").write_text("filename: main.ha\n")
    file = write(tmp_path, GOOD + "languages:\n  - lua\n  - Python 3\n  - zig\n")
    assert load_recipe(file, plugins=tmp_path / "plugins").languages == ("lua", "Python 3", "zig")
    file = write(tmp_path, GOOD + "languages:\n  - luaa\n  - zig\n  - hare\n")
    assert [mistake.where for mistake in refused(file).mistakes] == [f"{file}:{line}" for line in (5, 6, 7)]
    assert "did you mean lua?" in refused(file).mistakes[0].what
    with pytest.raises(RecipeError) as error:
        load_recipe(file, plugins=tmp_path / "plugins")
    assert f"the pack of hare is broken: {folder / 'hare.yaml'}:1: execute is missing" in str(error.value)
    assert [mistake.where for mistake in refused("demo", "languages=javascrpt").mistakes] == [
        "--set languages=javascrpt"
    ]


def test_limits_are_given_in_the_words_and_units_of_the_sandbox() -> None:
    assert Limits(cpu_s=2, memory_mb=64, output_mb=1).as_mapping() == {
        "cpu_s": 2.0,
        "memory_bytes": 64 * 2**20,
        "output_bytes": 2**20,
    }


def test_the_fingerprint_is_over_what_can_change_a_result(tmp_path: Path) -> None:
    first = load_recipe(write(tmp_path, GOOD)).fingerprint()
    lines = GOOD.splitlines(keepends=True)
    assert load_recipe(write(tmp_path, "# other order\n" + "".join(reversed(lines)))).fingerprint() == first
    assert (
        load_recipe(write(tmp_path, GOOD + "description: new\nsettings: {driver_memory: 4g}\n")).fingerprint() == first
    )
    assert load_recipe(write(tmp_path, GOOD + "ground: {attempts: 3}\n")).fingerprint() != first


KEYS = st.sampled_from([*Recipe.model_fields, "path", "limits", "attempts", "cpu_s", "nonsense", "name"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


@given(data=st.dictionaries(KEYS, VALUES, max_size=6))
@settings(max_examples=150, deadline=None)
def test_whatever_a_file_holds_it_is_a_recipe_or_a_list_of_mistakes_with_lines(data: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder), yaml.safe_dump(data, allow_unicode=True))
        try:
            load_recipe(file)
            mistakes: list[object] = []
        except RecipeError as error:
            mistakes = list(error.mistakes) or ["none told"]
        assert all(re.match(re.escape(file) + r":\d+: .", str(mistake)) for mistake in mistakes)
