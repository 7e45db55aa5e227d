"""The card of a release: what it holds, how it was made and what it does not promise, for whoever finds it later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CARD = """# {name}, version {version}

{tasks} execution-verified tasks and {samples} samples in {languages}.

Every task is grounded: a trusted solution, adapted to standard input and output, reproduced every expected output in
{attempts} fresh runs. Every sample was run against all cases of its task and passed the gates named below.

| | |
|---|---|
| digest | `{digest}` |
| licences of the sources | {licences} |
| sources | {sources} |
| gates | {gates} |
| made by run | {run_id}, code {code} |

`tasks/` and `samples/` are Parquet; `manifest.json` names the Delta version of every input table and the whole recipe.

Not covered: the tasks were not checked against benchmarks for contamination, and near-duplicates were not removed.
"""


def card(manifest: Mapping[str, Any], licences: Sequence[str]) -> str:
    """The card as Markdown."""
    recipe = manifest["recipe"]
    sources = [recipe["source"]] if recipe.get("source") else recipe["sources"]
    return CARD.format(
        **{
            name: manifest[name]
            for name in ("name", "version", "tasks", "samples", "digest", "run_id", "code", "gates")
        },
        attempts=recipe["ground"]["attempts"],
        languages=", ".join(manifest["languages"]) or "no language yet",
        licences=", ".join(licences),
        sources=", ".join(source["name"] for source in sources),
    )
