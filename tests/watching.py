"""What can be seen of processes from outside, for tests that wait for one to come or to be gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

# How long to wait for what should happen at once, on a machine that is busy with other things.
PATIENCE_S = 90


def within_patience(true: Callable[[], object]) -> bool:
    """Whether it became true."""
    until = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def processes_with(mark: str) -> list[int]:
    """The processes whose command line holds the mark; one that is about to be started bears its starter's."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
