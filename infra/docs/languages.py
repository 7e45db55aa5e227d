"""docs/languages.md says what the packs say, and what was measured on the machine that ran this last: `make docs`.

What depends on the machine is kept in docs/languages.json, so that the page can be compared with the packs anywhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasklake.sandbox_exec.languages import TIERS, Install, Language, load_languages
from tasklake.sandbox_exec.languages.scarcity import scarcity

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, MEASURED = DOCS / "languages.md", DOCS / "languages.json"
# What is kept of a row of `tasklake languages --json`.
KEPT = ("toolchain", "start_ms")
# A start of a runtime that costs no more than this needs no zygote.
FAST_MS = 20.0
COLUMNS = ("id", "names", "toolchain comes from", "version tested", "start-up", "zygote", "tests")
HEAD = """# Languages

Written by `make docs` from the packs in `sandbox_exec/languages/` and from what `tasklake languages --json` measured;
change those, not this page.

{packs} packs, in five tiers: 1 are the languages that models know best, 5 the scarcest. A recipe asks for some by
`languages: [lua, r]` or `languages: {{tier: ">=3"}}`. **Start-up** is what a program that does nothing costs here, in a
box. A **zygote** is a runtime that has started already and is forked for each program; where a runtime takes more than
20 ms to start and has none, the reason is given. **Tests** says whether a program can be judged by a test program too
(key `test` of the pack).
"""
TAIL = """## How to add one

One file, `<id>.yaml`, in the folder `languages/` of a folder that `TASKLAKE_PLUGINS` names; no code.
[CONTRIBUTING.md](../CONTRIBUTING.md#a-language) goes through a complete example. A pack that comes with the package
lies in `sandbox_exec/languages/`, has one of its names in `scarcity.yaml` there, passes
`pytest tests/sandbox/test_packs.py -k <id>`, and is written down here by `make docs`.
"""


def page(packs: Mapping[str, Language], measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of docs/languages.md."""
    parts = [HEAD.format(packs=len(packs))]
    for tier in TIERS:
        rows = [_cells(pack, measured.get(name, {})) for name, pack in sorted(packs.items()) if pack.tier == tier]
        without = [row.language for row in scarcity(packs) if row.tier == tier and row.pack is None]
        missing = f"\nWithout a pack: {', '.join(without)}.\n" if without else ""
        parts.append(f"## Tier {tier}\n\n{_table(rows) if rows else ''}{missing}")
    return "\n".join([*parts, TAIL])


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = (COLUMNS, tuple("---" for _ in COLUMNS), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def _cells(pack: Language, measured: Mapping[str, Any]) -> tuple[str, ...]:
    others = ", ".join(name for name in pack.names if name != pack.id)
    start = measured.get("start_ms")
    return (
        f"[`{pack.id}`]({pack.docs})" if pack.docs else f"`{pack.id}`",
        others,
        _origin(pack.install),
        str(measured.get("toolchain") or "not tried"),
        f"{start:.1f} ms" if start is not None else "not measured",
        "yes" if pack.zygote else pack.slow_start or ("not needed" if start is not None and start <= FAST_MS else "no"),
        "yes" if pack.test else "no",
    )


def _origin(install: Install) -> str:
    """Where the toolchain comes from, registry by registry."""
    debian = f"Debian {install.suite}" if install.suite else "Debian"
    named = (
        (debian, install.debian), ("pip", install.pip), ("npm", install.npm), ("Go", install.go),
        ("Cargo", install.cargo), ("Maven", install.maven),
    )  # fmt: skip
    found = [f"{registry}: {', '.join(f'`{each}`' for each in packages)}" for registry, packages in named if packages]
    built = [f"built from `{install.source}`"] if install.source else []
    return "; ".join([*found, *built, *install.text])


def measure(options: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What this machine offers, and what was measured before of the languages that it does not."""
    command = [sys.executable, "-m", "tasklake.jobs", "languages", "--json", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    rows = json.loads(done.stdout)
    new = {str(row.get("id") or row["language"]): row for row in rows if row["offered"]}
    kept = {name: {key: row.get(key) for key in KEPT} for name, row in new.items()}
    return {name: row for name, row in sorted({**read(), **kept}.items()) if name in load_languages()}


def read() -> dict[str, dict[str, Any]]:
    """What was measured when the page was written last."""
    return dict(json.loads(MEASURED.read_text("utf-8"))) if MEASURED.exists() else {}


def main(options: Sequence[str]) -> None:
    """Both files are up to date; with --quick, no self-test decides which languages are offered."""
    measured = measure(options)
    DOCS.mkdir(exist_ok=True)
    MEASURED.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(load_languages(), measured), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
