"""Isolation levels: one module each with `NAME`, `STRENGTH`, `UNENFORCED` and `DOC`; the strongest that works is used.

The protocol of a backend is the agent's: start it with the level's name, send programs and steps, read what happened.
`STRENGTH` 2 satisfies `strict`, 1 `standard`, 0 only `any`.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from tasklake.sandbox_exec.errors import TasklakeError

REQUIRED = {"any": 0, "standard": 1, "strict": 2}


class IsolationError(TasklakeError):
    """No backend that works here is strong enough."""


def backends() -> list[ModuleType]:
    """Every isolation level, the strongest first."""
    found = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    return sorted(found, key=lambda module: -int(module.STRENGTH))


def wanted(isolation: str) -> list[ModuleType]:
    """The levels that satisfy what is asked for, the strongest first."""
    if isolation not in REQUIRED:
        raise IsolationError(f"isolation is {isolation!r}; it must be one of {', '.join(REQUIRED)}")
    return [module for module in backends() if int(module.STRENGTH) >= REQUIRED[isolation]]
