"""How an output is compared with the expected one: each module here is a checker with NAME, DOC and check.

A checker that can be told more, such as `tokens:1e-4`, also has `with_parameter`, which reads what follows the colon.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError

Checker = Callable[[bytes, bytes], bool]


class _Module(Protocol):
    NAME: str
    DOC: str
    check: Checker


class CheckerError(TasklakeError):
    """No checker has that name, or it does not take that parameter."""


def names() -> tuple[str, ...]:
    """The names of all checkers, sorted."""
    return tuple(sorted(_found()))


def checker(name: str) -> Checker:
    """The function of that name: it takes what was expected and what was written, and says whether they agree."""
    found = _found()
    known, colon, parameter = name.partition(":")
    if known not in found:
        near = nearest(known, found)
        advice = f"did you mean {near}?" if near else f"known: {', '.join(sorted(found))}"
        raise CheckerError(f"no checker is called {name}; {advice}")
    if not colon:
        return found[known].check
    told: Callable[[str], Checker] | None = getattr(found[known], "with_parameter", None)
    if told is None:
        raise CheckerError(f"checker {name}: {known} takes no parameter; leave out what follows its name")
    return told(parameter)


def described() -> dict[str, str]:
    """What each checker accepts, in one sentence."""
    return {module.NAME: module.DOC for module in _modules()}


@cache
def _found() -> dict[str, _Module]:
    return {module.NAME: module for module in _modules()}


@cache
def _modules() -> tuple[_Module, ...]:
    # pkgutil, not the file system: the package may lie inside a zip.
    return tuple(cast(_Module, import_module(f"{__name__}.{each.name}")) for each in pkgutil.iter_modules(__path__))
