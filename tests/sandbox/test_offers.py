"""What doctor tells: a language is offered when it proves itself here, and a level is as good as what it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklake.sandbox_exec.doctor import offers
from tasklake.sandbox_exec.languages import load_languages
from tasklake.sandbox_exec.levels import attacked
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import isolation_level

pytestmark = pytest.mark.sandbox

KEYS = {"id", "tier", "offered", "reason", "toolchain", "self_test", "start_ms", "isolation"}
MADE = ("good", "wrong", "untried")
PACK = """\
filename: main.sh
execute: sh main.sh
self_test:
  - {name: echo, program: cat, input: "1\\n", expect: accepted, output: "1\\n"}
"""


def test_language_that_fails_its_self_test_is_not_offered(tmp_path: Path) -> None:
    """A pack that judges a known program wrongly is told with what it expected; one that is right is offered."""
    (tmp_path / "good.yaml").write_text(PACK)
    (tmp_path / "wrong.yaml").write_text(PACK.replace("program: cat", "program: exit 3"))
    (tmp_path / "untried.yaml").write_text(PACK.partition("self_test")[0])
    # Ours would take half a minute here, and prove themselves in test_packs.py.
    for name in load_languages():
        (tmp_path / f"{name}.yaml").write_text("filename: [\n")
    with Pool() as pool:
        rows = {row["id"]: row for row in offers(tmp_path, pool)}
    found = {name: (row["offered"], row["self_test"]) for name, row in rows.items() if name in MADE}
    assert found == {"good": (True, "passed"), "wrong": (False, "failed"), "untried": (True, "none")}
    place = f"{tmp_path / 'wrong.yaml'}:4: self-test echo: "
    assert rows["wrong"]["reason"].startswith(f"{place}expected accepted, got runtime_error; ")
    assert set(rows["good"]) == KEYS
    assert {row["isolation"] for row in rows.values()} == {isolation_level()}
    assert rows["good"]["start_ms"] > 0
    assert [rows[name]["start_ms"] for name in ("wrong", "untried")] == [None, None]


def test_attacks_that_are_held_and_that_succeed_are_told_apart() -> None:
    """The strongest level holds both attacks; the weakest, which claims to hold neither, lets the secret be read."""
    names, themes = ("outside/read_file.py", "program/rewrite.py"), []
    held = attacked("namespaces", themes.append, *names)
    assert (held["attacks"], held["held"], held["succeeded"], held["harmed"]) == (2, 2, [], [])
    assert themes == ["outside", "program"]
    assert attacked("process", themes.append, names[0])["succeeded"] == [names[0]]
