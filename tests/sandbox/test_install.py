"""A language from nothing: one file and a folder of sources, installed by the command, run in boxes like any other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasklake.sandbox_exec.backends import IsolationError, backends
from tasklake.sandbox_exec.doctor import self_test
from tasklake.sandbox_exec.languages import load_languages, toolchain
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


@pytest.fixture
def place() -> Iterator[Path]:
    """Where toolchains are installed to: no box has a folder of its own there."""
    made = Path(tempfile.mkdtemp(prefix="tasklake-place-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "languages"
    sources = folder / "tiny-sources"
    (sources / "include").mkdir(parents=True)
    (sources / "main.c").write_text(INTERPRETER)
    (sources / "include" / "say.h").write_text(SAY)
    (sources / "words").write_text("forty-two\n")
    (folder / "tiny.yaml").write_text(PACK)
    monkeypatch.setenv("TASKLAKE_PLUGINS", str(tmp_path))
    return folder


def install(place: Path, *words: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code of the command, and its rows: a process of its own, for packs are read once in each."""
    argv = [sys.executable, "-m", "tasklake.jobs", "languages", "install", *words, "--place", str(place), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, {row["id"]: row for row in json.loads(done.stdout)}


def test_language_is_built_from_its_sources_and_used(plugins: Path, place: Path) -> None:
    """The command builds it in a box and puts it to use, once; every level that works here runs it."""
    assert install(place, "tiny", "--dry-run")[1]["tiny"]["done"] == "to install"
    assert not list(place.iterdir())
    code, rows = install(place, "tiny")
    assert (code, rows["tiny"]["done"], rows["tiny"]["reason"]) == (0, "installed", "")
    assert install(place, "tiny")[1]["tiny"]["done"] == "there already"
    pack = replace(load_languages(plugins)["tiny"], place=str(place))
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
    install(place, "tiny")
    (plugins / "tiny-sources" / "main.c").write_text("int main(void) { return no_such_name; }\n")
    code, rows = install(place, "tiny")
    assert (code, rows["tiny"]["done"]) == (1, "failed")
    assert "no_such_name" in rows["tiny"]["reason"]
    pack = replace(load_languages(plugins)["tiny"], place=str(place))
    assert toolchain(pack).startswith("tiny 7 (")
    assert sorted(each.name.partition("-")[0] for each in place.iterdir()) == [".lock", "tiny", "tiny"]


def test_steps_reach_nothing_outside(plugins: Path, place: Path) -> None:
    """Steps of a stranger's pack run behind the walls that programs have: no file outside is written, no network is."""
    left = place / "left"
    (plugins / "tiny.yaml").write_text(PACK.replace("cp words", f"echo x > {left} || cp words"))
    assert install(place, "tiny")[0] == 0
    assert not left.exists()


def test_one_that_fails_stops_no_other(plugins: Path, place: Path) -> None:
    """Two packs, the first of which cannot be had: the second is installed, and the exit code says 1."""
    (plugins / "broken.yaml").write_text(PACK.replace("tiny-sources", "no-such-folder"))
    code, rows = install(place, "broken", "tiny")
    assert (code, rows["broken"]["done"], rows["tiny"]["done"]) == (1, "failed", "installed")
    assert "no-such-folder is not there" in rows["broken"]["reason"]
