"""Why something cannot become a task."""

from __future__ import annotations

from tasklake.sandbox_exec.errors import TasklakeError


class Refused(TasklakeError):
    """A problem cannot become a task: `code` counts it, `detail` tells a person. Both end as columns, none escapes."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
