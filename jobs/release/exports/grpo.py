"""Tasks for reinforcement learning: a chat prompt, and cases for the reward function as an extra column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

DOC = "one line per task: prompt (chat messages), task_id, checker, cases"


def rows(tasks: Mapping[str, Mapping[str, Any]], samples: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One object per task; the trainer adds the language's own prefix."""
    for task_id, task in sorted(tasks.items()):
        text = f"{task['statement']}\n\n# Input\n{task['input_format']}\n\n# Output\n{task['output_format']}\n"
        cases = [{"input": case["input"], "output": case["output"]} for case in task["cases"]]
        prompt = [{"role": "user", "content": text}]
        yield {"prompt": prompt, "task_id": task_id, "checker": task["checker"], "cases": cases}
