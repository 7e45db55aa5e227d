"""Files in the format of Agnostics, with its keys alone, are languages as they are: commands are lines for a shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasklake.sandbox_exec.languages import ToolchainMissing, load_languages, toolchain
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case

pytestmark = pytest.mark.sandbox

LUA = """\
prompt: Use Lua 5.4; read numbers with io.read("n").
install: apt-get install -y lua5.4
filename: program.lua
execute: lua5.4 program.lua
"""
R = """\
prompt: |
  Use R. Read with file("stdin").
install: apt-get install -y r-base
filename: code.R
execute: Rscript code.R
container:
  base-image: ubuntu:22.04
  type: debian
"""
OCAML = """\
prompt: Use OCaml.
install:
  container-instructions: |
    RUN opam install --yes zarith
    USER opam
filename: code.ml
compile: ocamlopt code.ml -o code.exe 2>&1
execute: ./code.exe
container:
  base-image: ocaml/opam:debian-12
  type: debian
"""
FORTRAN = """\
prompt: Use Fortran 90.
install: apt-get install -y gfortran
filename: code.f90
compile: gfortran code.f90 -O1 -o "code" && test -x code
execute: ulimit -c 0; ./code
"""
PROGRAMS = {
    "lua": (LUA, "local a, b = io.read('n', 'n')\nprint(a + b)\n", "print(nil + 1)\n", "runtime_error"),
    "r": (R, "cat(sum(scan(file('stdin'), quiet = TRUE)), '\\n')\n", "stop('no')\n", "runtime_error"),
    "ocaml": (OCAML, 'let () = Scanf.scanf " %d %d" (fun a b -> print_int (a + b))\n', "let x = y\n", "compile_error"),
    "fortran": (FORTRAN, "read *, i, j\nprint *, i + j\nend\n", "print *, x(\nend\n", "compile_error"),
}
CASES = [Case(b"1 2\n", b"3\n"), Case(b"20 22\n", b"42\n")]


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_file_of_agnostics_runs(name: str, tmp_path: Path) -> None:
    """Its programs are built, run and judged by the commands that it holds, under the name of its file."""
    text, right, wrong, verdict = PROGRAMS[name]
    (tmp_path / f"{name}-theirs.yaml").write_text(text)
    pack = load_languages(tmp_path)[f"{name}-theirs"]
    try:
        toolchain(pack)
    except ToolchainMissing as error:
        pytest.skip(str(error))
    with Pool() as pool:
        found = pool.run(right, pack, CASES, checker="tokens")
        assert [found.verdict, *(step.verdict for step in found.cases)] == ["accepted"] * 3, found
        assert pool.run(wrong, pack, CASES).verdict == verdict


def test_file_of_agnostics_in_a_plugin_folder(tmp_path: Path) -> None:
    """The command takes it from the folder that TASKLAKE_PLUGINS names, and lists it among the languages."""
    folder = tmp_path / "plugins" / "languages"
    folder.mkdir(parents=True)
    (folder / "theirs.yaml").write_text(LUA)
    (tmp_path / "a.lua").write_text(PROGRAMS["lua"][1])
    (tmp_path / "cases.jsonl").write_text('{"input": "1 2", "output": "3"}\n')
    environment = {**os.environ, "TASKLAKE_PLUGINS": str(folder.parent)}
    words = ["verify", "a.lua", "--language", "theirs", "--cases", "cases.jsonl", "--json"]
    for argv in (words, ["languages", "--quick", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "tasklake.jobs", *argv],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["verdict"] == "accepted" if argv is words else "theirs" in {row["id"] for row in told}
