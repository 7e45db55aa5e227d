"""A language from nothing: one file and a folder of sources, installed by the command, run in boxes like any other."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasklake.sandbox_exec.backends import IsolationError, backends
from tasklake.sandbox_exec.doctor import self_test
from tasklake.sandbox_exec.installing import packs, registries
from tasklake.sandbox_exec.installing.tools import InstallError
from tasklake.sandbox_exec.languages import Language, load_languages, toolchain
from tasklake.sandbox_exec.pool import Pool

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(
        shutil.which("cc", path="/usr/bin") is None, reason="a C compiler is needed: apt-get install gcc"
    ),
]

# A language of three words: `.` copies the input, `+` says what a file of the toolchain holds, `!` fails.
INTERPRETER = """\
#include <stdio.h>
#include <string.h>
#include "say.h"
int main(int argc, char **argv) {
    if (argc < 2) { puts("tiny 7"); return 0; }
    FILE *program = fopen(argv[1], "r");
    int word, c;
    while (program && (word = fgetc(program)) != EOF) {
        if (word == '.') while ((c = getchar()) != EOF) putchar(c);
        if (word == '+') say(argv[0]);
        if (word == '!') return 3;
    }
    return !program;
}
"""
SAY = """\
static void say(const char *self) {
    char path[4096], line[80];
    snprintf(path, sizeof path, "%s", self);
    char *end = strstr(path, "/bin/");
    if (!end) return;
    strcpy(end, "/lib/words");
    FILE *words = fopen(path, "r");
    if (words && fgets(line, sizeof line, words)) fputs(line, stdout);
}
"""
PACK = """\
filename: main.tiny
execute: "{folder}/bin/tiny main.tiny"
version: ["{folder}/bin/tiny"]
install:
  source: tiny-sources
  steps:
    - mkdir "$PREFIX/bin" "$PREFIX/lib"
    - cc -O -o "$PREFIX/bin/tiny" main.c -Iinclude
    - cp words "$PREFIX/lib/"
self_test:
  - {name: echo, program: ".", input: "one\\n", expect: accepted, output: "one\\n"}
  - {name: a file of the toolchain, program: "+", expect: accepted, output: "forty-two\\n"}
  - {name: runtime error, program: "!", expect: runtime_error}
"""

# What the crate sayer depends on, as cargo notes it down: with the name of its registry, which nobody asks.
LOCK = """\
version = 3
[[package]]
name = "sayer"
version = "1.0.0"
dependencies = ["said"]
[[package]]
name = "said"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/{}-index"
checksum = "{}"
"""
CRATES = ".".join(("crates", "io"))


@pytest.fixture
def place() -> Iterator[Path]:
    """Where toolchains are installed to: no box has a folder of its own there."""
    made = Path(tempfile.mkdtemp(prefix="tasklake-place-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    folder = tmp_path / "languages"
    sources = folder / "tiny-sources"
    (sources / "include").mkdir(parents=True)
    (sources / "main.c").write_text(INTERPRETER)
    (sources / "include" / "say.h").write_text(SAY)
    (sources / "words").write_text("forty-two\n")
    (folder / "tiny.yaml").write_text(PACK)
    return folder


def named(plugins: Path, place: Path, name: str = "tiny") -> Language:
    """The pack, whose toolchain is to lie in the place."""
    return replace(load_languages(plugins)[name], place=str(place))


def install(plugins: Path, place: Path, *names: str) -> list[dict[str, Any]]:
    """The rows of packs that are installed one after the other, in this process."""
    plans = [packs.plan(named(plugins, place, name), plugins) for name in names or ("tiny",)]
    return list(packs.installed(plans, lambda *_: None, plugins))


def test_language_is_built_from_its_sources_and_used(plugins: Path, place: Path) -> None:
    """It is built in a box and put to use, once; every level that works here runs it."""
    pack = named(plugins, place)
    assert packs.plan(pack, plugins).does
    assert not list(place.iterdir())
    (row,) = install(plugins, place)
    assert (row["done"], row["reason"]) == ("installed", "")
    assert install(plugins, place)[0]["done"] == "there already"
    assert toolchain(pack).startswith("tiny 7 (")
    for level in backends():
        try:
            pool = Pool(1, level.NAME)
        except IsolationError:
            continue
        with pool:
            assert [row for row in self_test(pack, pool.done) if not row["ok"]] == []


def test_steps_that_fail_leave_what_was_in_use(plugins: Path, place: Path) -> None:
    """A broken build is told with the compiler's words; the version that worked before goes on working."""
    install(plugins, place)
    (plugins / "tiny-sources" / "main.c").write_text("int main(void) { return no_such_name; }\n")
    (row,) = install(plugins, place)
    assert row["done"] == "failed"
    assert "no_such_name" in row["reason"]
    assert toolchain(named(plugins, place)).startswith("tiny 7 (")
    assert sorted(each.name.partition("-")[0] for each in place.iterdir()) == [".lock", "tiny", "tiny"]


def test_version_that_does_not_answer_leaves_what_was_in_use(plugins: Path, place: Path) -> None:
    """What is built and does not work is no version, however often it is tried; one that works is known at once."""
    install(plugins, place)
    pack, main = named(plugins, place), plugins / "tiny-sources" / "main.c"
    first = toolchain(pack)
    main.write_text("int main(void) { return 9; }\n")
    for _ in range(2):
        (row,) = install(plugins, place)
        assert (row["done"], "ended with 9" in row["reason"]) == ("failed", True)
        assert toolchain(pack) == first
        assert len(list(place.glob("tiny*"))) == 2
    main.write_text(INTERPRETER.replace("tiny 7", "tiny 8"))
    assert install(plugins, place)[0]["done"] == "installed"
    assert toolchain(pack).startswith("tiny 8 (")


def test_steps_reach_nothing_outside(plugins: Path, place: Path) -> None:
    """Steps of a stranger's pack run behind the walls that programs have: no file outside is written, no network is."""
    left = place / "left"
    (plugins / "tiny.yaml").write_text(PACK.replace("cp words", f"echo x > {left} || cp words"))
    assert install(plugins, place)[0]["done"] == "installed"
    assert not left.exists()


def test_one_that_fails_stops_no_other(plugins: Path, place: Path) -> None:
    """Two packs, the first of which cannot be had: the second is installed."""
    (plugins / "broken.yaml").write_text(PACK.replace("tiny-sources", "no-such-folder"))
    broken, tiny = install(plugins, place, "broken", "tiny")
    assert (broken["done"], tiny["done"]) == ("failed", "installed")
    assert "no-such-folder is not there" in broken["reason"]


def published(registry: Path, name: str, files: dict[str, str], needs: tuple[str, ...] = ()) -> str:
    """The checksum of a crate that the folder now holds, as a registry without a network does."""
    manifest = f'package = {{name = "{name}", version = "1.0.0", edition = "2021"}}\n[dependencies]\n'
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in {"Cargo.toml": manifest + "".join(f'{each} = "1"\n' for each in needs), **files}.items():
            entry = tarfile.TarInfo(f"{name}-1.0.0/{path}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    checksum = hashlib.sha256(packed.getvalue()).hexdigest()
    (registry / f"{name}-1.0.0.crate").write_bytes(packed.getvalue())
    deps = [{"name": each, "req": "^1", "features": [], "optional": False, "default_features": True} for each in needs]
    told = {"name": name, "vers": "1.0.0", "deps": deps, "cksum": checksum, "features": {}, "yanked": False}
    index = registry / "index" / name[:2] / name[2:4]
    index.mkdir(parents=True)
    (index / name).write_text(json.dumps(told))
    return checksum


@pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is needed: apt-get install cargo")
def test_crate_is_built_behind_walls(tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a crate, or one that it needs, executes while it is built writes nothing outside, whoever installs it."""
    left, home = place / "left", tmp_path / "home"
    for folder in (home, place / "made"):
        folder.mkdir()
    settings = f'[source.crates-io]\nreplace-with = "here"\n[source.here]\nlocal-registry = "{tmp_path}"\n'
    (home / "config.toml").write_text(settings)
    monkeypatch.setenv("CARGO_HOME", str(home))
    harm = f'fn main() {{ println!("cargo:rustc-env=DONE={{}}", std::fs::write("{left}", "x").is_ok()); }}'
    said = {"build.rs": harm, "src/lib.rs": 'pub fn said() -> &\'static str { env!("DONE") }'}
    checksum = published(tmp_path, "said", said)
    main = 'fn main() { println!("{} {}", said::said(), env!("DONE")); }'
    sayer = {"build.rs": harm, "src/main.rs": main, "Cargo.lock": LOCK.format(CRATES, checksum)}
    published(tmp_path, "sayer", sayer, ("said",))
    registries.cargo(("sayer@1.0.0",), place / "made", lambda _: None)
    assert subprocess.run([place / "made/bin/sayer"], capture_output=True, check=True).stdout == b"false false\n"
    assert not left.exists()
    with pytest.raises(InstallError, match="could not find `none`"):
        registries.cargo(("none@1.0.0",), place / "made", lambda _: None)
