"""An isolation level promises no more than it holds."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from tasklake.sandbox_exec.backends import DECLARED, IsolationError, backends, declared, wanted

SOUND: dict[str, Any] = {
    "NAME": "x", "DOC": "x", "LEVEL": "landlock", "OFF": (), "STRENGTH": 1, "UNENFORCED": ("disk",),
}  # fmt: skip


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


@pytest.mark.parametrize("changes", [{"OFF": ("landlock",)}, {"STRENGTH": 2}, {"OFF": ("seccomp",), "UNENFORCED": ()}])
def test_level_that_promises_too_much_is_refused(changes: dict[str, Any]) -> None:
    """Strength without all walls, and strict with something left unheld, are refused."""
    with pytest.raises(IsolationError, match="STRENGTH"):
        declared(level(**changes))


def test_what_holds_its_promise_passes() -> None:
    """Nothing is asked of a level that promises nothing; strict is for one that holds everything."""
    assert declared(level(STRENGTH=0, OFF=("landlock",)))
    assert declared(level(STRENGTH=2, UNENFORCED=()))


def test_strength_decides_what_satisfies() -> None:
    """Strict is for levels that hold everything, standard for every boundary, any for all; a level has a name too."""
    assert [module.NAME for module in wanted("strict")] == ["namespaces", "docker"]
    assert [module.NAME for module in wanted("standard")] == ["namespaces", "docker", "landlock"]
    assert [module.NAME for module in wanted("any")] == ["namespaces", "docker", "landlock", "process"]
    assert [module.NAME for module in wanted("landlock")] == ["landlock"]


def test_unknown_level_is_refused() -> None:
    """What is neither a strength nor a level is answered with what there is."""
    with pytest.raises(
        IsolationError, match="any, standard, strict, or a level: namespaces, docker, landlock, process"
    ):
        wanted("paranoid")
