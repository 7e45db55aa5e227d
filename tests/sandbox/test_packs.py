"""Every language pack whose toolchain is here proves itself by the programs in its own file."""

from __future__ import annotations

import pytest

from tasklake.sandbox_exec.backends import IsolationError, backends
from tasklake.sandbox_exec.doctor import QUICK, self_test
from tasklake.sandbox_exec.languages import (
    Language,
    ToolchainMissing,
    broken_languages,
    load_languages,
    toolchain,
)
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Verdict

pytestmark = pytest.mark.sandbox

# What every language must show; a language that is not compiled has no compile error.
NEEDED = {"echo", "sum", "wrong answer", "runtime error", "time limit", "large output", "passed test", "failed test"}
LEVELS = tuple(level.NAME for level in backends() if level.NAME != "docker")


def test_no_packaged_pack_is_broken() -> None:
    """Each file in the folder loads."""
    assert not broken_languages()


@pytest.mark.parametrize("name", sorted(load_languages()))
def test_pack_is_complete(name: str) -> None:
    """A pack brings a prompt, says what to install, and holds a program for each thing that must work."""
    pack = load_languages()[name]
    assert pack.prompt
    assert pack.install
    assert pack.fence_tags
    missing = NEEDED | ({"compile error"} if pack.compile else set())
    assert not missing - {test.name for test in pack.self_test}


def pool_for(pack: Language, level: str) -> Pool:
    """A pool of that level, skipped where the level or the language cannot be had."""
    try:
        pool = Pool(isolation=level)
        toolchain(pack, pool.backend)
    except (ToolchainMissing, IsolationError) as error:
        pytest.skip(str(error))
    return pool


def misjudged(pack: Language, level: str) -> list[str]:
    """The self-tests that are judged otherwise than the pack expects."""
    with pool_for(pack, level) as pool:
        rows = self_test(pack, pool.done, QUICK)
    assert rows
    return [f"{row['check']}: expected {row['expected']}, got {row['got']}" for row in rows if not row["ok"]]


@pytest.mark.parametrize("name", sorted(load_languages()))
def test_language_passes_its_self_test(name: str) -> None:
    """Each self-test program gets the verdict that the pack expects."""
    assert not misjudged(load_languages()[name], "any")


@pytest.mark.parametrize("name", sorted(name for name, pack in load_languages().items() if pack.compile))
def test_compiler_says_what_is_wrong(name: str) -> None:
    """Whether on its standard error or its output, it is told."""
    pack = load_languages()[name]
    wrong = next(test for test in pack.self_test if test.expect == Verdict.compile_error)
    with pool_for(pack, "any") as pool:
        found = pool.run(wrong.program, pack, [])
    assert found.build.stderr_tail.strip()


@pytest.mark.wide
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", sorted(load_languages()))
def test_language_passes_its_self_test_on_every_level(name: str, level: str) -> None:
    """A self-test program gets the same verdict whatever walls there are around it."""
    assert not misjudged(load_languages()[name], level)


@pytest.mark.docker
@pytest.mark.usefixtures("docker_engine")
@pytest.mark.parametrize("name", sorted(load_languages()))
def test_language_passes_its_self_test_in_a_container(name: str) -> None:
    """The machine's own toolchains, shown to a container, give the same verdicts there."""
    assert not misjudged(load_languages()[name], "docker")
