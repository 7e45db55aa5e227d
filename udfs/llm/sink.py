"""Finished responses on their way to storage: a segment closes after two seconds or some rows, in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Store = Callable[[list[Row]], None]

# The most that a kill can lose of what was finished: rows that are in no closed segment.
OPEN_ROWS = 64
# A segment closes earlier, so that finished rows have where to go while it is being written.
CLOSE_ROWS = 32
CLOSE_S = 2.0


class Sink:
    """Rows in, segments out; `open` is how many are not on storage yet."""

    def __init__(self, store: Store):
        self.store = store
        self.rows: list[Row] = []
        self.writing = 0
        self.written = 0
        self.closing = False
        self.filled = asyncio.Event()
        self.drained = asyncio.Event()

    @property
    def open(self) -> int:
        """Rows that a kill would lose now."""
        return len(self.rows) + self.writing

    def add(self, row: Row) -> None:
        """The row is on its way."""
        self.rows.append(row)
        if len(self.rows) == 1 or len(self.rows) >= CLOSE_ROWS:
            self.filled.set()

    async def run(self, told: Callable[[], None]) -> None:
        """Everything that is added gets to storage, until the sink is closed and empty; `told` after each segment."""
        while self.rows or not self.closing:
            await self.filled.wait()
            self.filled.clear()
            if self.rows and len(self.rows) < CLOSE_ROWS and not self.closing:
                await self._filled_within(CLOSE_S)
            taken, self.rows = self.rows[:OPEN_ROWS], self.rows[OPEN_ROWS:]
            if not taken:
                continue
            self.writing = len(taken)
            await asyncio.to_thread(self.store, taken)
            self.written += len(taken)
            self.writing = 0
            if self.rows:
                self.filled.set()
            told()

    async def _filled_within(self, seconds: float) -> None:
        """Enough rows have come, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while len(self.rows) < CLOSE_ROWS and not self.closing:
                    await self.filled.wait()
                    self.filled.clear()
        except TimeoutError:
            pass

    def close(self) -> None:
        """Nothing is added any more."""
        self.closing = True
        self.filled.set()
