"""docs/languages.md is what the packs say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tasklake.sandbox_exec.languages import load_languages

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "infra" / "docs" / "languages.py"


@pytest.mark.skipif(not GENERATOR.exists(), reason="the docs are no part of a wheel")
def test_the_page_of_languages_is_up_to_date() -> None:
    """What the packs say stands on the page as `make docs` writes it; measured values are those of its last run."""
    written = runpy.run_path(str(GENERATOR))
    assert (ROOT / "docs" / "languages.md").read_text("utf-8") == written["page"](
        load_languages(), written["read"]()
    ), "run `make docs`"


@pytest.mark.skipif(not GENERATOR.exists(), reason="the docs are no part of a wheel")
def test_the_page_of_languages_names_every_pack_and_every_language_without_one() -> None:
    """A pack has a row with its origin, version, start-up cost and zygote; a language without a pack is named."""
    written = runpy.run_path(str(GENERATOR))
    packs = load_languages()
    text = written["page"](packs, {"lua": {"toolchain": "Lua 5.4.4", "start_ms": 1.25}})
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| [`")}
    assert set(rows) == set(packs)
    assert "Debian: `lua5.4` | Lua 5.4.4 | 1.2 ms | not needed | yes |" in rows["lua"]
    assert "Go: `github.com/d5/tengo/v2/cmd/tengo@v2.17.0` | not tried | not measured | no | yes |" in rows["tengo"]
    assert "ABAP" in text
