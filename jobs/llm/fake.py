"""The fake server as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from tasklake.udfs.llm.fake.server import FAKE, Behaviour, start


def serve(behaviour: Behaviour, port: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Serves until it is interrupted; what it was asked and what it answered."""
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(_served(behaviour, port, told))
    return {}


async def _served(behaviour: Behaviour, port: int, told: Callable[[str], None]) -> dict[str, Any]:
    runner, bound = await start(behaviour, port)
    told(f"http://127.0.0.1:{bound}/v1")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass
    finally:
        await runner.cleanup()
    fake = runner.app[FAKE]
    return {"received": sum(fake.received.values()), "answered": sum(fake.answered.values())}
