"""What was built, kept for the next program that is the same: bounded, the longest unused goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from tasklake.sandbox_exec.channel import File
from tasklake.sandbox_exec.verdict import Step, Verdict

# Room for some thousand small programs, or a hundred of those that carry a runtime of 2 MB.
KEPT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Built:
    """A program as it is run: its files, and what building it showed."""

    step: Step
    files: Sequence[File]


class Artefacts:
    """What has been built, by everything that decides it; for several threads."""

    def __init__(self) -> None:
        self.held: OrderedDict[object, Built] = OrderedDict()
        self.bytes = 0
        self.lock = threading.Lock()

    def get(self, key: object) -> Built | None:
        """What was built, or None."""
        with self.lock:
            if key in self.held:
                self.held.move_to_end(key)
            return self.held.get(key)

    def put(self, key: object, built: Built) -> None:
        """It is kept, unless building again might show something else."""
        if built.step.verdict not in (Verdict.accepted, Verdict.compile_error):
            return
        with self.lock:
            self.bytes += _size(built) - _size(self.held.get(key))
            self.held[key] = built
            while self.bytes > KEPT_BYTES:
                self.bytes -= _size(self.held.popitem(last=False)[1])


def _size(built: Built | None) -> int:
    return sum(len(data) for _, _, data in built.files) if built else 0
