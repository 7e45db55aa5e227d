"""Plain JSON Lines: each sample with its task's text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

DOC = "one line per sample: task, language, program, statement, formats"


def rows(tasks: Mapping[str, Mapping[str, Any]], samples: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One object per sample."""
    for sample in samples:
        task = tasks[sample["task_id"]]
        text = {name: task[name] for name in ("statement", "input_format", "output_format", "licence")}
        own = ("sample_id", "task_id", "source", "source_id", "language", "program", "verdict", "model")
        yield {name: sample[name] for name in own} | text
