"""A language whose toolchain does nothing does not pass its own self-tests: they prove more than that something ran."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasklake.sandbox_exec.doctor import QUICK, self_test
from tasklake.sandbox_exec.languages import Install, Language, SelfTest, load_languages
from tasklake.sandbox_exec.languages.model import FOLDER
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Verdict

pytestmark = pytest.mark.sandbox

# What is interpreted, what is compiled, and what starts behind a shell; the others are tried with make test-wide.
SAMPLE = {"lua", "c", "octave"}
NAMES = [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.wide) for name in sorted(load_languages())]
STUBS = {"prints nothing": "exit 0", "echoes": "exec cat"}
# Whoever prints nothing, or something else than is asked for, is rightly judged so.
EXCUSED = (Verdict.wrong_answer, Verdict.test_failure)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that a box can show: /tmp is its own."""
    made = Path(tempfile.mkdtemp(dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def stubbed(pack: Language, folder: Path, does: str) -> Language:
    """The language with stubs in the place of its commands and of what they build."""
    tested = pack.tested()
    execute, compiled = moved(pack.execute, folder), moved(pack.compile, folder)
    test = replace(pack.test, execute=moved(tested.execute, folder), compile=moved(tested.compile, folder))
    # Another id, for its own folder would come first; the version is not asked for, for a stub tells none.
    made = replace(pack, id=f"stub-{pack.id}", execute=execute, compile=compiled, test=test, version=(), caches=())
    made = replace(made, home=("echo", str(folder)), show=(*pack.show, str(folder)), install=Install())
    write_stubs(made, folder, does)
    return made


def moved(command: str, folder: Path) -> str:
    return command.replace(FOLDER, str(folder))


def first_words(pack: Language) -> Iterator[str]:
    """What is started for a build and a run: a command of the language, or the shell before it."""
    for what in ("compile", "execute"):
        yield from pack.command(what)[:1]


def write_stubs(pack: Language, folder: Path, does: str) -> None:
    starts = {word for each in (pack, pack.tested()) for word in (*each.needs(), *first_words(each))}
    built = " ".join(word.removeprefix("./") for word in starts if word.startswith("./"))
    # A build that leaves nothing behind has failed, which would prove nothing about what is run then.
    text = f'#!/bin/sh\nfor name in made {built}; do [ -e "$name" ] || cp "$0" "$name"; done\n{does}\n'
    for command in (word for word in starts if not word.startswith("./")):
        path = folder / "bin" / command
        # A command that is named by its path elsewhere is not ours to write.
        assert path.is_relative_to(folder), (
            f"{pack.id}: {command} cannot be replaced; let the pack name the command alone"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(0o755)


def excused(test: SelfTest, stub: str) -> bool:
    return test.expect in EXCUSED or (stub == "echoes" and test.output == test.input)


@pytest.mark.parametrize("stub", STUBS)
@pytest.mark.parametrize("name", NAMES)
def test_language_of_stubs_fails_its_self_test(name: str, stub: str, folder: Path) -> None:
    """Every self-test fails under a toolchain that prints nothing or echoes, but those that ask for just that."""
    pack = load_languages()[name]
    with Pool() as pool:
        rows = self_test(stubbed(pack, folder, STUBS[stub]), pool.done, QUICK)
    passed = {row["check"] for row in rows if row["ok"]}
    assert passed <= {test.name for test in pack.self_test if excused(test, stub)}
    assert {row["got"] for row in rows} <= {*Verdict} - {Verdict.internal_error}
