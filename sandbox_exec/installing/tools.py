"""Programs of this machine that install others: started without a shell, read by lines, blamed in their own words."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from tasklake.sandbox_exec.errors import TasklakeError

# Enough of what a tool said last to hold its reason.
TAIL_LINES = 12
# Tools speak the language that is understood here, and ask nobody.
PLAINLY = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
# Where things are, and how a registry is reached: by which proxy, which mirror, under which certificates.
KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|TZ|APT_CONFIG|GO[A-Z0-9]+|JAVA_(HOME|TOOL_OPTIONS)"
    r"|(PIP|NPM_CONFIG|CARGO|RUSTUP|PYENV|NVM|MAVEN|M2)_\w+"
    r"|\w+_PROXY|\w*(SSL_CERT_(FILE|DIR)|CA_BUNDLE|CA_CERTS|CAINFO)",
    re.IGNORECASE,
)
# Registries that are read by everybody ask for none of these.
SECRET = re.compile(r"TOKEN|PASS|SECRET|AUTH|CREDENTIAL|KEY$", re.IGNORECASE)

Tell = Callable[[str], None]


class InstallError(TasklakeError):
    """A toolchain cannot be installed; the message says why, and nothing of it is in use."""


def quiet(_: str) -> None:
    """Nobody is told."""


def environment() -> dict[str, str]:
    """What tools are told of the caller's environment: they run what strangers have published, often as root."""
    return {name: text for name, text in os.environ.items() if KEPT.fullmatch(name) and not SECRET.search(name)}


def ran(
    argv: Sequence[str], tell: Tell = quiet, folder: str | None = None, variables: Mapping[str, str] | None = None
) -> list[str]:
    """The lines that the tool wrote, each told as it comes; raises InstallError where it fails."""
    lines: list[str] = []
    try:
        with subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=folder, env={**environment(), **PLAINLY, **(variables or {})}, text=True, errors="replace",
            # The lock of the folder goes with it: what outlives a killed installer still holds others off.
            close_fds=False,
        ) as process:  # fmt: skip
            for line in process.stdout or ():
                lines.append(line.rstrip())
                tell(lines[-1])
    except OSError as error:
        raise InstallError(f"{argv[0]} cannot be started: {error.strerror}") from None
    if process.returncode:
        raise InstallError(f"{argv[0]} ended with {process.returncode}: {reason(lines)}")
    return lines


def reason(lines: Sequence[str]) -> str:
    """The lines that name the cause, or the last ones that say anything."""
    last = list(deque((line for line in lines if line.strip()), TAIL_LINES))
    named = [line for line in last if line.startswith(("E:", "error", "ERROR", "npm error", "[ERROR]", "go: "))]
    return " / ".join((named or last)[-3:]) or "it said nothing"
