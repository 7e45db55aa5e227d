"""The requests of a task as they are wanted: batches are taken from Spark one at a time, known requests left out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Set
from typing import Any

import pyarrow as pa

Request = dict[str, Any]


class Feed:
    """Hands out one request after another and never holds more than a batch."""

    def __init__(self, batches: Iterator[pa.RecordBatch], known: Set[str] = frozenset()):
        self.batches = batches
        self.known = known
        self.waiting: deque[Request] = deque()
        self.ended = False
        self.given = 0

    async def next(self) -> Request | None:
        """The next request, or None at the end."""
        while not self.waiting and not self.ended:
            # In a thread: the batch may still have to be computed, and calls in flight must go on meanwhile.
            batch = await asyncio.to_thread(next, self.batches, None)
            if batch is None:
                self.ended = True
            else:
                self.waiting.extend(row for row in batch.to_pylist() if row["request_key"] not in self.known)
        if not self.waiting:
            return None
        self.given += 1
        return self.waiting.popleft()
