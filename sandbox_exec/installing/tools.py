"""Programs of this machine that install others: started without a shell, read by lines, blamed in their own words."""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Callable, Sequence

from tasklake.sandbox_exec.errors import TasklakeError

# Enough of what a tool said last to hold its reason.
TAIL_LINES = 12
# Tools speak the language that is understood here, and ask nobody.
PLAINLY = ("env", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")

Tell = Callable[[str], None]


class InstallError(TasklakeError):
    """A toolchain cannot be installed; the message says why, and nothing of it is in use."""


def quiet(_: str) -> None:
    """Nobody is told."""


def ran(argv: Sequence[str], tell: Tell = quiet, folder: str | None = None) -> list[str]:
    """The lines that the tool wrote, each told as it comes; raises InstallError where it fails."""
    lines: list[str] = []
    try:
        with subprocess.Popen(
            [*PLAINLY, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=folder, text=True, errors="replace",
            # The lock of the folder goes with it: what outlives a killed installer still holds others off.
            close_fds=False,
        ) as process:  # fmt: skip
            for line in process.stdout or ():
                lines.append(line.rstrip())
                tell(lines[-1])
    except OSError as error:
        raise InstallError(f"{argv[0]} cannot be started: {error.strerror}") from None
    if process.returncode:
        raise InstallError(f"{_name(argv)} ended with {process.returncode}: {reason(lines)}")
    return lines


def _name(argv: Sequence[str]) -> str:
    """The tool itself, and not what it is started by with variables of its own."""
    return next((word for word in argv if word not in ("env", *PLAINLY) and "=" not in word), argv[0])


def reason(lines: Sequence[str]) -> str:
    """The lines that name the cause, or the last ones that say anything."""
    last = list(deque((line for line in lines if line.strip()), TAIL_LINES))
    named = [line for line in last if line.startswith(("E:", "error", "ERROR", "npm error", "[ERROR]", "go: "))]
    return " / ".join((named or last)[-3:]) or "it said nothing"
