"""How scarce languages are: a table of its own that agrees with the packs, for recipes and for questions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tasklake.jobs.config import load_settings
from tasklake.jobs.recipe import Recipe, RecipeError, load_recipe
from tasklake.jobs.recipe_languages import chosen
from tasklake.jobs.views import VIEWS
from tasklake.sandbox_exec.languages import PackError, load_languages
from tasklake.sandbox_exec.languages.scarcity import FILE, read_scarcity, scarcity

RECIPE = "name: mine\nsource: {source: mbpp, path: rows.jsonl}\nstages: [ingest, reformulate]\n"


def test_every_pack_has_its_place_and_its_tier() -> None:
    """Each pack of ours belongs to one language of the table, through one of its names, and says the same tier."""
    packs = load_languages()
    found = [row for row in scarcity(packs) if row.pack]
    assert Counter(row.pack for row in found) == Counter(list(packs))
    assert {row.pack: row.tier for row in found} == {name: pack.tier for name, pack in packs.items()}


def test_the_table_holds_languages_without_a_pack_and_is_none_itself() -> None:
    """The five tiers are there whatever can be run here, and the file is not read as a pack."""
    rows = {row.language: row for row in scarcity({})}
    assert {row.tier for row in rows.values()} == {1, 2, 3, 4, 5}
    assert not any(row.pack for row in rows.values())
    assert {"Kotlin", "C#", "F#", "Solidity", "Visual Basic", "ABAP"} <= set(rows)
    assert FILE.removesuffix(".yaml") not in load_languages()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('"1": [C]\n"6": [D]\n', 2, "no tier 6"),
        ('"1": [C]\n"2": D\n', 2, "expected a list"),
        ('"1": [C]\n"2": [1]\n', 2, "expected a list"),
        ('"1": [C]\n\n"2": [D, C]\n', 3, "C is in tier 1 already"),
    ],
)
def test_a_mistake_in_the_table_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(PackError) as caught:
        read_scarcity(text, "x.yaml")
    assert str(caught.value).startswith(f"x.yaml:{line}: ")
    assert said in str(caught.value)


def test_a_plugins_pack_is_found_by_the_name_of_its_language(tmp_path: Path) -> None:
    """The view tells of a pack of the plugins folder too."""
    folder = tmp_path / "languages"
    folder.mkdir()
    (folder / "qb64.yaml").write_text("names: [qb64, visual basic]\ntier: 4\nfilename: a.bas\nexecute: qb64 a.bas\n")
    settings = load_settings().model_copy(update={"plugins": tmp_path})
    rows = {row["language"]: row["pack"] for row in VIEWS["language_scarcity"].rows(settings)}
    assert (rows["Visual Basic"], rows["Lua"], rows["ABAP"]) == ("qb64", "lua", None)


def recipe(folder: Path, languages: str, plugins: Path | None = None) -> Recipe:
    path = folder / "mine.yaml"
    path.write_text(f"{RECIPE}languages:{languages}\n", encoding="utf-8")
    return load_recipe(str(path), plugins=plugins)


@pytest.mark.parametrize(
    ("tier", "tiers"), [('">=3"', {3, 4, 5}), ('"<=2"', {1, 2}), ('"= 4"', {4}), ("5", {5}), ('"1"', {1})]
)
def test_a_recipe_asks_for_the_packs_of_its_tiers(tmp_path: Path, tier: str, tiers: set[int]) -> None:
    """All packs of the tiers are asked for, and no other."""
    packs = load_languages()
    asked = chosen(recipe(tmp_path, f" {{tier: {tier}}}").languages, packs)
    assert asked == sorted(name for name, pack in packs.items() if pack.tier in tiers)


def test_a_recipe_asks_for_all_or_those_it_names(tmp_path: Path) -> None:
    packs = load_languages()
    assert chosen(recipe(tmp_path, " offered").languages, packs) == sorted(packs)
    assert chosen(recipe(tmp_path, " [Python 3, lua]").languages, packs) == ["python", "lua"]


@pytest.mark.parametrize(
    ("languages", "line", "said"),
    [
        ("\n  tier: '>3'", 5, "did you mean '>=4'?"),
        ("\n  tier: '<3'", 5, "did you mean '<=2'?"),
        ("\n\n  tier: '=>3'", 6, "did you mean '>=3'?"),
        ("\n  tier: 3+", 5, "did you mean '>=3'?"),
        ("\n  tier: 3-", 5, "did you mean '<=3'?"),
        ("\n  tier: '>>4'", 5, "did you mean '>=4'?"),
        ("\n  tier: 6", 5, "a number from 1 to 5"),
        ("\n  tier: '>5'", 5, "a number from 1 to 5"),
        ("\n  tier: true", 5, "a number from 1 to 5"),
        ("\n  tier: [3]", 5, "a number from 1 to 5"),
        ("\n  tiers: 3", 4, "did you mean tier?"),
        (" {}", 4, 'a list of languages, offered, or {tier: ">=3"}'),
        ("\n  - tier >=3", 5, "no language is called tier >=3"),
    ],
)
def test_a_tier_that_is_none_is_refused_with_its_line(tmp_path: Path, languages: str, line: int, said: str) -> None:
    """What cannot be read as tiers is told with its line and the nearest right form."""
    with pytest.raises(RecipeError) as caught:
        recipe(tmp_path, languages)
    (mistake,) = caught.value.mistakes
    assert mistake.where.endswith(f"mine.yaml:{line}")
    assert said in mistake.what


def test_tiers_are_part_of_what_can_change_a_result(tmp_path: Path) -> None:
    """A recipe of other tiers has another fingerprint, whichever packs there are."""
    prints = {recipe(tmp_path, languages).fingerprint() for languages in (" {tier: 4}", " {tier: '>=4'}", " offered")}
    assert len(prints) == 3
