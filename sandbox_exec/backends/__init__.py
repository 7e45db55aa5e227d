"""Isolation levels: one module each; the first that works is used, the strongest being tried first.

A module declares `NAME`, `DOC`, `STRENGTH` (2 satisfies `strict`, 1 `standard`, 0 only `any`), `LEVEL` (which of the
agent's boxes it uses), `OFF` (walls that it does without) and `UNENFORCED` (what it cannot hold; nothing at 2).
One whose agents are not processes of this machine's own also has `vessel`, which starts what an agent runs in. It may
have `why_not`, which tells at once why that cannot be had; `inherited`, the limits that are held from outside;
`ENGINE`, true where something beside the kernel makes the box; `KEPT_AGENTS`, how many a slot keeps warm; `image_of`,
which names an image that holds a language's toolchain; `IMAGES_ONLY`, true where no folder may stand for a root;
`ZYGOTES`, true where runtimes can be forked; and `OWN_EYES`, true where candidates find what their user may reach.
The protocol of a backend is the agent's: start it, send a program and inputs, read what happened.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError

REQUIRED = {"any": 0, "standard": 1, "strict": 2}
DECLARED = ("NAME", "DOC", "STRENGTH", "LEVEL", "OFF", "UNENFORCED")


class IsolationError(TasklakeError):
    """No backend that works here is strong enough."""


def backends() -> list[ModuleType]:
    """Every isolation level, the strongest first; among equals, those that need no engine."""
    found = [declared(importlib.import_module(f"{__name__}.{m.name}")) for m in pkgutil.iter_modules(__path__)]
    return sorted(found, key=lambda module: (-int(module.STRENGTH), bool(getattr(module, "ENGINE", False))))


def declared(module: ModuleType) -> ModuleType:
    """The level, which says all that a level must and promises no more than it holds."""
    missing = [name for name in DECLARED if not hasattr(module, name)]
    if missing:
        raise IsolationError(f"isolation level {module.__name__}: {', '.join(missing)} is missing; say it in its file")
    strength = int(module.STRENGTH)
    if strength >= REQUIRED["standard"] and module.OFF:
        raise IsolationError(
            f"isolation level {module.NAME}: without {module.OFF[0]} it is no boundary; set STRENGTH to 0"
        )
    if strength >= REQUIRED["strict"] and module.UNENFORCED:
        unheld = ", ".join(module.UNENFORCED)
        raise IsolationError(f"isolation level {module.NAME}: strict holds everything, it not {unheld}; lower STRENGTH")
    return module


def wanted(isolation: str) -> list[ModuleType]:
    """The levels that satisfy what is asked for, a strength or one level by its name; the strongest first."""
    levels = {module.NAME: module for module in backends()}
    if isolation in levels:
        return [levels[isolation]]
    if isolation not in REQUIRED:
        meant = nearest(isolation, (*REQUIRED, *levels))
        hint = f"did you mean {meant}? " if meant else ""
        raise IsolationError(
            f"isolation is {isolation!r}; {hint}It is one of {', '.join(REQUIRED)}, or a level: {', '.join(levels)}"
        )
    return [module for module in levels.values() if int(module.STRENGTH) >= REQUIRED[isolation]]
