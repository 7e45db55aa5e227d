"""How an output is compared with the expected one: each module here is a checker with NAME, DOC and check.

A checker that can be told more, such as `tokens:1e-4`, also has `with_parameter`, which reads what follows the colon.
One that tells presentation errors also has `nearly`, asked where `check` says no. A module whose name begins with `_`
is no checker: checkers share it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Protocol, cast

from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.verdict import Verdict

# What a module says of the expected output and the actual one: whether they agree.
Check = Callable[[bytes, bytes], bool]
# What everyone else is given: accepted, presentation_error or wrong_answer.
Checker = Callable[[bytes, bytes], Verdict]


class _Module(Protocol):
    NAME: str
    DOC: str
    check: Check


class CheckerError(TasklakeError):
    """No checker has that name, or it does not take that parameter."""


def names() -> tuple[str, ...]:
    """The names of all checkers, sorted."""
    return tuple(sorted(_found()))


def checker(name: str) -> Checker:
    """The function of that name: it takes what was expected and what was written, and gives the verdict."""
    found = _found()
    known, colon, parameter = name.partition(":")
    if known not in found:
        near = nearest(known, found)
        advice = f"did you mean {near}?" if near else f"known: {', '.join(sorted(found))}"
        raise CheckerError(f"no checker is called {name}; {advice}")
    check: Check = found[known].check
    if colon:
        told: Callable[[str], Check] | None = getattr(found[known], "with_parameter", None)
        if told is None:
            raise CheckerError(f"checker {name}: {known} takes no parameter; leave out what follows its name")
        check = told(parameter)
    return partial(_judged, check, getattr(found[known], "nearly", None))


def described() -> dict[str, str]:
    """What each checker accepts, in a few words."""
    return {module.NAME: module.DOC for module in _modules()}


def _judged(check: Check, nearly: Check | None, expected: bytes, actual: bytes) -> Verdict:
    if check(expected, actual):
        return Verdict.accepted
    if nearly is not None and nearly(expected, actual):
        return Verdict.presentation_error
    return Verdict.wrong_answer


@cache
def _found() -> dict[str, _Module]:
    return {module.NAME: module for module in _modules()}


@cache
def _modules() -> tuple[_Module, ...]:
    # pkgutil, not the file system: the package may lie inside a zip.
    names = (each.name for each in pkgutil.iter_modules(__path__) if not each.name.startswith("_"))
    return tuple(cast(_Module, import_module(f"{__name__}.{name}")) for name in names)
