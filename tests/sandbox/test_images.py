"""Images of languages, built from their packs and handed to a real engine: self-tests pass inside them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tasklake.sandbox_exec.containers import engine
from tasklake.sandbox_exec.containers.toolchains import image_of
from tasklake.sandbox_exec.doctor import QUICK, self_test
from tasklake.sandbox_exec.installing import images
from tasklake.sandbox_exec.languages import ToolchainMissing, ground, load_languages, toolchain
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import backend_for

pytestmark = [pytest.mark.sandbox, pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]

# Of this machine's suite and of another, interpreted and compiled, with a large runtime and with a small one.
NAMES = ("lua", "perl", "c", "fortran", "janet")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """A language whose image the engine has."""
    if os.geteuid() != 0:
        pytest.skip("root file systems are made by root alone")
    pack = load_languages()[request.param]
    (row,) = images.built([pack], lambda *_: None, None, None)
    if "cannot be started" in row["reason"] or "is made by" in row["reason"]:
        pytest.skip(row["reason"])
    assert not row["reason"]
    yield pack.id
    engine.client().api.remove_image(row["made"], force=True)
    # The tests that follow ask the engine again.
    from tasklake.sandbox_exec.containers import toolchains

    toolchains._image_of.cache_clear()


@pytest.mark.wide
def test_self_tests_pass_in_the_image(name: str) -> None:
    """The level docker runs the language in its image, names the image's toolchain, and judges as every other level."""
    pack = load_languages()[name]
    image, told = image_of(name)
    assert image.startswith(f"tasklake-{name}:")
    assert ground(pack, backend_for("docker")).root == image
    with Pool(1, "docker") as pool:
        rows = self_test(pack, pool.done, QUICK)
        echo = pool.run(pack.self_test[0].program, pack, [pack.self_test[0].case()])
    assert not [row for row in rows if not row["ok"]]
    assert echo.toolchain == told
    assert pack.install.debian[0] in told


def test_root_without_an_image_is_refused_with_the_command() -> None:
    """A folder with a root stands for nothing in a container: what to do is told, and other languages go on."""
    pack = load_languages()["janet"]
    if not os.path.isdir(f"{pack.folder}/root"):
        pytest.skip("no root file system is installed; tasklake languages install janet")
    with pytest.raises(ToolchainMissing, match="tasklake languages image janet"):
        toolchain(pack, backend_for("docker"))
    assert toolchain(load_languages()["shell"], backend_for("docker"))
