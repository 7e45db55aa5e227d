"""Every language pack whose toolchain is here proves itself by the programs in its own file."""

from __future__ import annotations

import pytest

from tasklake.sandbox_exec.doctor import self_test
from tasklake.sandbox_exec.languages import ToolchainMissing, broken_languages, load_languages, toolchain
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool

pytestmark = pytest.mark.sandbox

# What every language must show; a language that is not compiled has no compile error.
NEEDED = {"echo", "sum", "wrong answer", "runtime error", "time limit", "large output"}
# Short, because each pack holds a program that only stops there.
SMALL = Limits(cpu_s=2.0)


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


@pytest.mark.parametrize("name", sorted(load_languages()))
def test_language_passes_its_self_test(name: str) -> None:
    """Each self-test program gets the verdict that the pack expects."""
    pack = load_languages()[name]
    try:
        toolchain(pack)
    except ToolchainMissing as error:
        pytest.skip(str(error))
    with Pool() as pool:
        rows = self_test(pack, pool.run, SMALL)
    assert rows
    assert not [row for row in rows if row["expected"] != row["got"]]
