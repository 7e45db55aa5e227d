"""Who may run when: many at once, or one alone, who does not wait for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that is shared by all who run programs, and given up by all for one that has to run alone."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.running = 0
        self.waiting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Others may run at the same time."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else runs: for one who is in a shared turn, which is given up meanwhile."""
        with self.changed:
            self.running -= 1
            self.waiting += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.running == 0)
            self.running = 1
        try:
            yield
        finally:
            with self.changed:
                self.waiting -= 1
                self.changed.notify_all()

    def _enter(self) -> None:
        with self.changed:
            # Who wants to be alone goes first: there are always others.
            self.changed.wait_for(lambda: not self.waiting)
            self.running += 1

    def _leave(self) -> None:
        with self.changed:
            self.running -= 1
            self.changed.notify_all()
