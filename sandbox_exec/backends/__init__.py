"""Isolation levels: one module each; the strongest that works is used.

A module declares `NAME`, `DOC`, `STRENGTH` (2 satisfies `strict`, 1 `standard`, 0 only `any`), `ISOLATED` (whether the
agent makes a box of namespaces for every step) and `UNENFORCED` (what the level cannot hold; nothing at `STRENGTH` 2).
The protocol of a backend is the agent's: start it, send programs and steps, read what happened.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from tasklake.sandbox_exec.errors import TasklakeError

REQUIRED = {"any": 0, "standard": 1, "strict": 2}
DECLARED = ("NAME", "DOC", "STRENGTH", "ISOLATED", "UNENFORCED")


class IsolationError(TasklakeError):
    """No backend that works here is strong enough."""


def backends() -> list[ModuleType]:
    """Every isolation level, the strongest first."""
    found = [declared(importlib.import_module(f"{__name__}.{m.name}")) for m in pkgutil.iter_modules(__path__)]
    return sorted(found, key=lambda module: -int(module.STRENGTH))


def declared(module: ModuleType) -> ModuleType:
    """The level, which says all that a level must and promises no more than it holds."""
    missing = [name for name in DECLARED if not hasattr(module, name)]
    if missing:
        raise IsolationError(f"isolation level {module.__name__}: {', '.join(missing)} is missing; say it in its file")
    strength = int(module.STRENGTH)
    if strength >= REQUIRED["standard"] and not module.ISOLATED:
        raise IsolationError(f"isolation level {module.NAME}: without ISOLATED it holds nothing; set STRENGTH to 0")
    if strength >= REQUIRED["strict"] and module.UNENFORCED:
        unheld = ", ".join(module.UNENFORCED)
        raise IsolationError(f"isolation level {module.NAME}: strict holds everything, it not {unheld}; lower STRENGTH")
    return module


def wanted(isolation: str) -> list[ModuleType]:
    """The levels that satisfy what is asked for, the strongest first."""
    if isolation not in REQUIRED:
        raise IsolationError(f"isolation is {isolation!r}; it must be one of {', '.join(REQUIRED)}")
    found = [module for module in backends() if int(module.STRENGTH) >= REQUIRED[isolation]]
    if not found:
        raise IsolationError(
            f"isolation {isolation} is asked for, but no level of this version is that strong; the strongest, "
            f"{backends()[0].NAME}, cannot hold {', '.join(backends()[0].UNENFORCED)}: ask for standard"
        )
    return found
