"""Toolchains tell their versions in boxes, wherever they lie: on this machine, in a folder of their own, in a home."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasklake.sandbox_exec.backends import landlock, namespaces
from tasklake.sandbox_exec.languages import Language, ToolchainMissing, resolved, toolchain
from tasklake.sandbox_exec.languages import toolchains as found

pytestmark = pytest.mark.sandbox

X = Language(id="x", filename="main.x", execute="sh main.x")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that a box can show: it has a /tmp of its own."""
    made = Path(tempfile.mkdtemp(prefix="tasklake-toolchain-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def command(path: Path, text: str) -> Path:
    """A command that says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


def test_toolchain_is_looked_for_in_its_home(folder: Path) -> None:
    """The newest folder of the first pattern that has any is where commands are, and what a box has to show."""
    for version in ("1.2", "1.9", "1.10"):
        command(folder / version / "bin" / "home-command-x", f"echo x {version}")
    home = (str(folder / "no" / "*"), str(folder / "*"))
    pack = replace(X, execute="home-command-x main.x", version=("home-command-x",), home=home)
    assert toolchain(pack) == "x 1.10"
    assert resolved("home-command-x", home) == (f"{folder}/1.10/bin/home-command-x", (f"{folder}/1.10",))
    assert resolved("sh", home) == resolved("sh")
    with pytest.raises(ToolchainMissing, match="home-command-x is not installed"):
        toolchain(replace(pack, home=()))
    with pytest.raises(ToolchainMissing, match="home-command-x is not installed"):
        toolchain(replace(pack, home=(str(folder / "no"),)))


def test_toolchain_that_root_alone_can_reach_is_refused_where_programs_look_themselves(folder: Path) -> None:
    """Told with the folder, before each program fails; in a box of its own it is shown, and once it is open, used."""
    if os.geteuid() != 0:
        pytest.skip("everybody's programs find what he finds himself")
    command(folder / "closed" / "x" / "bin" / "closed-command-x", "echo x 1.2")
    pack = replace(X, execute="closed-command-x main.x", home=(f"{folder}/closed/x",))
    (folder / "closed").chmod(0o700)
    with pytest.raises(found.LevelRefused, match=f"lies in {folder}/closed, which root alone may enter"):
        toolchain(pack, landlock)
    assert toolchain(pack, namespaces)
    (folder / "closed").chmod(0o711)
    found.forget()
    assert toolchain(pack, landlock)


def test_toolchain_of_its_own_folder_names_that_folders_version(folder: Path) -> None:
    """Which version of the folder there is belongs to the toolchain's words, for a command may not tell all."""
    command(folder / "x-0123" / "bin" / "own-command-x", "echo x 1.2")
    (folder / "x").symlink_to("x-0123")
    pack = replace(X, execute="own-command-x main.x", version=("own-command-x",), place=str(folder))
    assert toolchain(pack) == "x 1.2 (0123)"


def test_box_shows_a_toolchain_and_not_what_lies_around_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command in a home's `bin`, or in no `bin` at all, shows the folder that it lies in and no more."""
    monkeypatch.setenv("HOME", str(folder))
    for place, shown in (("bin", "bin"), (".local/bin", ".local/bin"), ("made/bin", "made"), ("made/y", "made/y")):
        there = command(folder / place / "shown-x", "echo x")
        assert resolved(str(there)) == (str(there), (str(folder / shown),))
    (folder / "key").write_text("secret", "utf-8")
    command(folder / "bin" / "looks-x", f"cat {folder}/key 2>&1; true")
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")
    assert "No such file" in toolchain(replace(X, version=("looks-x",)))
    with pytest.raises(ToolchainMissing, match="put it into a folder of its own, such as /opt/home-x/bin"):
        resolved(str(command(folder / "home-x", "echo x")))


def test_pack_shows_nothing_that_a_link_hides(folder: Path) -> None:
    """What a box must not show is told by where it is, not by what the pack calls it."""
    (folder / "link").symlink_to("/home")
    (folder / "near").mkdir()
    assert toolchain(replace(X, show=(str(folder / "near"),)))
    for path in (folder / "link", folder / "link" / "somebody"):
        with pytest.raises(ToolchainMissing, match="no box shows that"):
            toolchain(replace(X, show=(str(path),)))


def test_version_is_asked_for_in_a_box(folder: Path) -> None:
    """A version command sees and changes nothing outside: it is no more trusted than a program."""
    left = folder / "left"
    script = command(folder / "bin" / "version-x", f"touch {left} 2>/dev/null; id -u; true")
    told = toolchain(replace(X, version=(str(script),)))
    assert told != "0"
    assert not left.exists()


def test_version_command_knows_the_languages_variables(folder: Path) -> None:
    """It is given what builds are given, limits filled in."""
    script = command(folder / "bin" / "version-x", 'echo "$ROOM"')
    assert toolchain(replace(X, version=(str(script),), environment=(("ROOM", "{memory_mb}M"),))) == "2048M"


def test_toolchain_is_the_first_line_of_its_version() -> None:
    """The version command's first line names the toolchain, whichever stream it is written to."""
    said = "import sys; sys.stderr.write('\\nx 1.2\\nmore\\n')"
    assert toolchain(replace(X, version=("python3", "-c", said))) == "x 1.2"


def test_version_command_that_fails_is_no_toolchain() -> None:
    """A version command that fails means that the language cannot be used, and says what it said."""
    failing = ("python3", "-c", "raise SystemExit('broken')")
    with pytest.raises(ToolchainMissing, match="ended with 1 and said broken"):
        toolchain(replace(X, version=failing))


def test_version_is_no_shell_text() -> None:
    """Words of the version command are given as they are: nothing in them is expanded."""
    assert toolchain(replace(X, version=("echo", "$HOME;`id`"))) == "$HOME;`id`"


def test_no_level_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no box can be made, no version command runs, and the reason is told."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    found._of_host.cache_clear()
    from tasklake.sandbox_exec import probing

    probing._tried.cache_clear()
    with pytest.raises(ToolchainMissing, match="no such level works here"):
        toolchain(replace(X, version=("echo", "never said")))
