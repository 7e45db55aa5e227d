"""Settings: flag > environment > recipe > default, checked, and each with its origin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasklake.jobs.config import VARIABLES, RecipeSettings, Settings, UsageError, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests leaks in."""
    for name in [*os.environ]:
        if name.startswith("TASKLAKE_") or any(name in names for names in VARIABLES.values()):
            monkeypatch.delenv(name)


def origin(settings: Settings, name: str) -> str:
    return next(row["origin"] for row in settings.describe() if row["setting"] == name)


def test_each_layer_wins_over_the_one_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RecipeSettings(spark_master="local[3]", driver_memory="3g")
    assert (load_settings().spark_master, origin(load_settings(), "spark_master")) == ("local[*,3]", "default")
    assert (load_settings(recipe).spark_master, origin(load_settings(recipe), "spark_master")) == ("local[3]", "recipe")
    monkeypatch.setenv("TASKLAKE_SPARK_MASTER", "local[4]")
    above = load_settings(recipe)
    assert (above.spark_master, origin(above, "spark_master")) == ("local[4]", "environment TASKLAKE_SPARK_MASTER")
    top = load_settings(recipe, spark_master="local[5]")
    assert (top.spark_master, origin(top, "spark_master")) == ("local[5]", "flag --spark-master")
    assert top.driver_memory == "3g"


def test_the_lake_is_the_flag_called_dir() -> None:
    assert origin(load_settings(lake="/there"), "lake") == "flag --dir"


def test_a_flag_that_was_not_given_changes_nothing() -> None:
    assert load_settings(lake=None) == load_settings()


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKLAKE_LAKE", "  ")
    assert load_settings().lake == "./tasklake-lake"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TASKLAKE_DRIVER_MEMORY", "lots", "2g or 512m"),
        ("TASKLAKE_SESSION", "conect", "did you mean connect?"),
        ("TASKLAKE_LOG_LEVEL", "loud", "debug"),
        ("TASKLAKE_SPARK_REMOTE", "http://host", "sc://host:15002"),
        ("TASKLAKE_SPARK_MASTER", "locl[2]", "local[4]"),
        ("TASKLAKE_SPARK_MASTER", "local[0]", "local[4]"),
        ("TASKLAKE_PLUGINS", "/nowhere/at/all", "a folder that is there"),
    ],
)
def test_a_bad_value_names_its_variable_and_what_is_right(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError) as refused:
        load_settings()
    assert variable in str(refused.value)
    assert repr(value) in str(refused.value)
    assert expected in str(refused.value)


def test_a_bad_flag_names_the_flag() -> None:
    with pytest.raises(UsageError, match="--dir is ''"):
        load_settings(lake="")


def test_connect_without_a_url_is_refused() -> None:
    with pytest.raises(UsageError, match="TASKLAKE_SPARK_REMOTE"):
        load_settings(session="connect")
    assert load_settings(session="connect", spark_remote="sc://host:15002").spark_remote == "sc://host:15002"


def test_own_variables_win_over_those_of_other_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_ARTIFACT_REPOSITORY", "theirs")
    assert load_settings().jar_mirror == "theirs"
    monkeypatch.setenv("TASKLAKE_JAR_MIRROR", "ours")
    assert load_settings().jar_mirror == "ours"


def test_the_jar_cache_follows_the_cache_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert load_settings().jar_cache == Path("/caches/tasklake/jars")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert load_settings().jar_cache == Path("~/.cache/tasklake/jars").expanduser()


def test_no_credential_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "s3cr3t")
    settings = load_settings()
    assert "s3cr3t" not in f"{settings!r}{settings.model_dump()}{settings.describe()}"


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("TASKLAKE_SPARK_REMOTE", "sc://host:443/;user_id=me;token=s3cr3t", "sc://host:443/;user_id=me;token=…"),
        ("TASKLAKE_JAR_MIRROR", "https://me:s3cr3t@host/maven", "https://…@host/maven"),
        ("AWS_ENDPOINT_URL", "https://host/?X-Amz-Signature=s3cr3t&n=1", "https://host/?X-Amz-Signature=…&n=1"),
    ],
)
def test_a_secret_in_a_url_is_not_shown(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, shown: str) -> None:
    """`doctor` lists every setting; who looks over a shoulder learns no password. The setting itself is whole."""
    monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert shown in [row["value"] for row in settings.describe()]
    assert value in settings.model_dump().values()


def test_a_secret_in_a_url_is_not_told_in_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt URL is told without its token."""
    monkeypatch.setenv("TASKLAKE_SPARK_REMOTE", "http://me:s3cr3t@host/;token=s3cr3t")
    with pytest.raises(UsageError, match="http://…@host/;token=…") as refused:
        load_settings()
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    "master", ["local", "local[2]", "local[*]", "local[2,3]", "yarn", "spark://h:7077", "k8s://https://h:6443"]
)
def test_every_kind_of_master_is_accepted(master: str) -> None:
    assert load_settings(spark_master=master).spark_master == master


def test_a_misspelt_variable_is_told_with_the_right_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKLAKE_LAEK", "/there")
    rows = {row["setting"]: row for row in load_settings().describe()}
    assert rows["TASKLAKE_LAEK"]["meaning"] == "not a setting; did you mean TASKLAKE_LAKE?"


def test_every_setting_is_described_and_comes_from_somewhere() -> None:
    names = {row["setting"] for row in load_settings().describe()}
    assert names == set(VARIABLES) == set(Settings.model_fields) - {"origins"}
    assert all(row["meaning"] for row in load_settings().describe())


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings().lake = "elsewhere"  # type: ignore[misc]
