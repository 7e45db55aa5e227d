"""Root file systems of other Debian suites: what a program sees there, where they can be had, and what they hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tasklake.sandbox_exec.backends import IsolationError, backends
from tasklake.sandbox_exec.doctor import self_test
from tasklake.sandbox_exec.installing import images, packs, places
from tasklake.sandbox_exec.languages import Install, Language, ToolchainMissing, ground, load_languages, toolchain
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case

pytestmark = pytest.mark.sandbox

# The shell of a root, whatever else is in it.
SHELL = Language(id="sh", filename="main.sh", execute="/bin/sh main.sh", install=Install(debian=("dash",), suite="sid"))
LEVELS = [level.NAME for level in backends() if level.NAME != "docker"]


def rooted() -> Language:
    """A shell in the first root file system that is installed here."""
    for pack in load_languages().values():
        if pack.install.suite:
            try:
                return (
                    replace(SHELL, id=pack.id, install=pack.install, version=pack.version) if toolchain(pack) else SHELL
                )
            except ToolchainMissing:
                continue
    pytest.skip("no language of another suite is installed; tasklake languages install janet")


def said(level: str, program: str, given: bytes = b"") -> str:
    """What the shell program says in the root."""
    pack = rooted()
    try:
        pool = Pool(1, level)
        ground(pack, pool.backend)
    except (IsolationError, ToolchainMissing) as error:
        pytest.skip(str(error))
    with pool:
        step = pool.run(program, pack, [Case(given, b"")]).cases[0]
    return step.stdout_head.decode()


@pytest.mark.parametrize("level", LEVELS)
def test_system_is_the_roots_own(level: str) -> None:
    """A program sees the system of its root and not this machine's, with its processes, devices and input."""
    root = Path(ground(rooted()).root)
    told = said(
        level,
        "cat /etc/debian_version; cat; cat /dev/stdin; echo x >/dev/null && test -d /proc/self && echo y\n",
        b"in\n",
    )
    assert told == (root / "etc/debian_version").read_text() + "in\ny\n"


@pytest.mark.parametrize("level", LEVELS)
def test_root_cannot_be_written_to(level: str) -> None:
    """Its own folders are all that a program writes to; nothing is left in the root."""
    root = Path(ground(rooted()).root)
    places = "/ /usr /etc /bin /opt /var /root /dev /home"
    told = said(
        level, f"for d in {places}; do echo x >$d/left && echo $d; done 2>/dev/null; echo x >$HOME/y && cat $HOME/y\n"
    )
    assert told == "x\n"
    assert not list(root.glob("*/left"))
    assert not list((root / "tmp").iterdir())


@pytest.mark.parametrize("level", LEVELS)
def test_machine_is_not_reached_from_a_root(level: str, tmp_path: Path) -> None:
    """Neither this machine's files nor those of other programs can be read through any way out."""
    if level == "process":
        pytest.skip("the level claims to hold no files")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    ways = " ".join(
        f"{way}{secret}" for way in ("", "../../../..", "/proc/1/root", "/proc/self/root", "/proc/$PPID/root")
    )
    assert (
        said(level, f"for f in {ways}; do cat $f; done 2>/dev/null; ls /tmp/tasklake* /root /home/* 2>/dev/null\n")
        == ""
    )


def test_root_holds_nothing_that_lends_privileges() -> None:
    """No file of an installed root is another user's to become, and none is a device."""
    for pack in load_languages().values():
        root = Path(pack.folder, "root")
        if pack.install.suite and root.is_dir():
            modes = [path.lstat().st_mode for path in root.rglob("*")]
            assert not [mode for mode in modes if mode & 0o6000 and mode & 0o170000 == 0o100000]
            assert not [mode for mode in modes if mode & 0o170000 in (0o20000, 0o60000)]


@pytest.mark.skipif(shutil.which("setpriv") is None or os.geteuid() != 0, reason="root drops a privilege here")
def test_level_that_cannot_enter_a_root_says_so() -> None:
    """Where nothing may be mounted, the language is not offered on landlock, with the reason; others are."""
    name = rooted().id
    code = (
        "import sys\n"
        "from tasklake.sandbox_exec.languages import load_languages, toolchain, ToolchainMissing\n"
        "from tasklake.sandbox_exec.probing import backend_for\n"
        "level = backend_for('landlock')\n"
        "print(toolchain(load_languages()['shell'], level))\n"
        "try: toolchain(load_languages()[sys.argv[1]], level)\n"
        "except ToolchainMissing as error: print(error)\n"
    )
    less = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    done = subprocess.run([*less, sys.executable, "-c", code, name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shell, reason = done.stdout.splitlines()
    assert "sha256:" in shell
    assert "entered by namespaces, or by an agent that may mount" in reason


ATTACKS = """\
import os, sys
from tasklake.sandbox_exec import work
from tasklake.sandbox_exec.adversarial import __main__ as attacks
from tasklake.sandbox_exec.languages import Ground, toolchain
work.ground = lambda pack, backend=None: Ground(toolchain(pack), sys.argv[1])
os.environ.update([attacks.SECRET_VARIABLE])
attacks.main(*sys.argv[2:])
"""
# This machine's own system, seen as the root file system of another: it has every language of the attacks.
MIRRORED = """\
mount --bind / "$1" && mount -t tmpfs tmpfs "$1/dev" && mkdir "$1/dev/shm" && ln -s /proc/self/fd "$1/dev/fd" &&
for n in null zero full random urandom; do : >"$1/dev/$n"; done &&
ln -s fd/0 "$1/dev/stdin" && ln -s fd/1 "$1/dev/stdout" && ln -s fd/2 "$1/dev/stderr" && shift && exec "$@"
"""


@pytest.mark.wide
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("level", ["namespaces", "landlock"])
def test_attacks_are_held_in_a_root(level: str, tmp_path: Path) -> None:
    """All that a level claims to hold, it holds for programs with a root file system of their own as well."""
    root = Path("/var/tmp") / f"tasklake-mirror-{os.getpid()}"
    root.mkdir()
    apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", MIRRORED, "sh", str(root)]
    argv = [*apart, sys.executable, "-c", ATTACKS, str(root), level, "held"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    finally:
        root.rmdir()
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) > 100
    assert [row["name"] for row in rows if row["succeeded"] or row["harmed"]] == []
    wrong = [row["name"] for row in rows if not row["lacking"] and row["verdict"] != row["expected"]]
    assert wrong == []


@pytest.mark.wide
@pytest.mark.skipif(os.geteuid() != 0, reason="root file systems are made by root alone")
def test_root_is_made_from_the_mirror_of_this_machine() -> None:
    """A language of another suite is installed from nothing, proves itself, and is left alone the second time."""
    place = Path("/var/tmp") / f"tasklake-roots-{os.getpid()}"
    pack = replace(load_languages()["janet"], place=str(place))
    try:
        (row,) = packs.installed([packs.plan(pack)], lambda *_: None)
        if "ended with" in row["reason"] or "is made by" in row["reason"]:
            pytest.skip(row["reason"])
        assert (row["done"], row["reason"]) == ("installed", "")
        assert packs.plan(pack).does == ()
        assert toolchain(pack).startswith("janet ")
        with Pool() as pool:
            assert [row for row in self_test(pack, pool.done) if not row["ok"]] == []
    finally:
        places.removed(place)


@pytest.mark.wide
@pytest.mark.skipif(os.geteuid() != 0, reason="root file systems are made by root alone")
def test_archive_is_unpacked_and_used(tmp_path: Path) -> None:
    """A root file system for a host without Docker: unpacked where toolchains lie, it is the language's toolchain."""
    place = Path("/var/tmp") / f"tasklake-unpacked-{os.getpid()}"
    place.mkdir(mode=0o755)
    # Of this machine's own suite, whose toolchain the machine then does not need.
    pack = replace(load_languages()["lua"], place=str(place))
    try:
        (row,) = images.built([pack], lambda *_: None, tmp_path, None)
        if "ended with" in row["reason"] or "is made by" in row["reason"]:
            pytest.skip(row["reason"])
        assert row["reason"] == ""
        subprocess.run(["tar", "-C", str(place), "-xzf", row["made"]], check=True)
        assert ground(pack).root == f"{place}/lua/root"
        assert toolchain(pack) == row["toolchain"]
        assert packs.plan(pack).does == ()
        with Pool() as pool:
            assert [row for row in self_test(pack, pool.done) if not row["ok"]] == []
    finally:
        places.removed(place)
