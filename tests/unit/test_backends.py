"""An isolation level promises no more than it holds."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from tasklake.sandbox_exec.backends import DECLARED, IsolationError, backends, declared, wanted

SOUND: dict[str, Any] = {"NAME": "x", "DOC": "x", "STRENGTH": 1, "ISOLATED": True, "UNENFORCED": ("syscalls",)}


def level(**changes: Any) -> ModuleType:
    made = ModuleType("x")
    made.__dict__.update({name: value for name, value in {**SOUND, **changes}.items() if value is not None})
    return made


def test_every_level_is_sound() -> None:
    """Each module of the folder says all that a level must; the strongest comes first."""
    strengths = [declared(module).STRENGTH for module in backends()]
    assert strengths == sorted(strengths, reverse=True)
    assert {"namespaces", "process"} <= {module.NAME for module in backends()}


@pytest.mark.parametrize("name", DECLARED)
def test_level_says_everything(name: str) -> None:
    """A level that leaves something out is refused with what is missing."""
    with pytest.raises(IsolationError, match=f"{name} is missing"):
        declared(level(**{name: None}))


@pytest.mark.parametrize("changes", [{"ISOLATED": False}, {"STRENGTH": 2}, {"ISOLATED": False, "STRENGTH": 2}])
def test_level_that_promises_too_much_is_refused(changes: dict[str, Any]) -> None:
    """Strength without a box, and strict with something left unheld, are refused."""
    with pytest.raises(IsolationError, match="STRENGTH"):
        declared(level(**changes))


def test_what_holds_its_promise_passes() -> None:
    """Nothing is asked of a level that promises nothing; strict is for one that holds everything."""
    assert declared(level(STRENGTH=0, ISOLATED=False))
    assert declared(level(STRENGTH=2, UNENFORCED=()))


def test_strict_is_refused_by_this_version() -> None:
    """Without a system call filter nothing satisfies strict, and the sentence says so."""
    with pytest.raises(IsolationError, match="cannot hold syscalls: ask for standard"):
        wanted("strict")
    assert [module.NAME for module in wanted("standard")] == ["namespaces"]
