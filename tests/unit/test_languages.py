"""Language packs: ours load, plugins replace them, mistakes are told with their line, toolchains are named."""

from __future__ import annotations

import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasklake.sandbox_exec import languages
from tasklake.sandbox_exec.documents import load_document
from tasklake.sandbox_exec.languages import (
    Factors,
    Install,
    Language,
    PackError,
    ToolchainMissing,
    broken_languages,
    language,
    load_languages,
    toolchain,
)
from tasklake.sandbox_exec.languages.reading import read_language
from tasklake.sandbox_exec.limits import MIB, Limits

EVERY = sorted(load_languages().values(), key=lambda pack: pack.id)
each_pack = pytest.mark.parametrize("pack", EVERY, ids=lambda pack: pack.id)
AGNOSTICS = """\
prompt: Please write R.
install: apt-get install -y r-base
filename: snippet.r
execute: Rscript snippet.r
container:
  base-image: debian:12
  type: debian
"""
GOOD = "filename: main.x\nexecute: x main.x\n"


def read(text: str, stem: str = "x") -> Language:
    return read_language(text, "x.yaml", stem)


@pytest.fixture
def plugins(tmp_path: Path) -> Callable[..., Path]:
    def made(**packs: str) -> Path:
        for stem, text in packs.items():
            (tmp_path / f"{stem}.yaml").write_text(text, "utf-8")
        return tmp_path

    return made


def test_our_packs_are_sound() -> None:
    """Every file of ours loads, and the languages that are promised are among them."""
    assert broken_languages() == {}
    promised = (
        "ada assembly c cobol commonlisp cpp csharp d elixir erlang fortran go groovy haskell janet java "
        "javascript julia kotlin lua luajit nim objectivec ocaml octave pascal perl php prolog python r "
        "racket ruby rust scala scheme shell swift systemverilog tcl tengo typescript verilog vhdl "
    )
    assert set(promised.split()) <= set(load_languages())


@each_pack
def test_pack_says_everything(pack: Language) -> None:
    """A pack of ours leaves nothing to be guessed: prompt, installation, names, tags, comment, documentation."""
    assert pack.prompt.strip()
    assert pack.install
    assert pack.id in pack.names
    assert pack.fence_tags
    assert pack.comment
    assert pack.docs.startswith("https://")
    assert pack.filename.endswith(pack.extensions)


@each_pack
def test_pack_tests_what_matters(pack: Language) -> None:
    """Self-tests reach every verdict that any language can, and the build's where there is one."""
    reached = {test.expect for test in pack.self_test}
    wanted = {"accepted", "wrong_answer", "runtime_error", "time_limit"} | (
        {"compile_error"} if pack.compile else set()
    )
    assert wanted <= reached
    assert len({test.name for test in pack.self_test}) == len(pack.self_test)
    assert any(len(test.case().output) >= 2**20 for test in pack.self_test)


@each_pack
def test_pack_travels(pack: Language) -> None:
    """A pack is the same after the trip to a worker, and can be a key."""
    arrived = pickle.loads(pickle.dumps(pack))
    assert arrived == pack
    assert hash(arrived) == hash(pack)
    assert arrived.digest() == pack.digest()


@each_pack
def test_factors_are_understood_by_limits(pack: Language) -> None:
    """The words of limit_factors are those that limits can be scaled by."""
    assert Limits().scaled(pack.limit_factors).cpu_s >= Limits().cpu_s


def test_ids_names_and_tags_are_not_shared() -> None:
    """No name leads to two languages."""
    names = [name.lower() for pack in EVERY for name in pack.names]
    assert len(names) == len(set(names))


def test_packs_are_found_inside_a_zip(tmp_path: Path) -> None:
    """Packs and checkers load where the package is a zip file, as on an executor."""
    package = Path(languages.__file__).resolve().parents[1]
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as made:
        # A folder without __init__.py is found inside a zip by its own entry only.
        made.mkdir("tasklake")
        for path in sorted(package.rglob("*")):
            if path.suffix in (".py", ".yaml"):
                made.write(path, f"tasklake/sandbox_exec/{path.relative_to(package)}")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tasklake.sandbox_exec import checkers, languages\n"
        "assert 'package.zip' in languages.__file__, languages.__file__\n"
        "print(*sorted(languages.load_languages()), *checkers.names())"
    )
    # Without site packages of the checkout: the folder itself must not be found.
    yaml = Path(sys.modules["yaml"].__file__ or "").parents[1]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(yaml)!r})\n{code}", str(archive)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "lua" in done.stdout
    assert "lines" in done.stdout


def test_agnostics_pack_loads_unchanged() -> None:
    """A pack in the plain Agnostics format is a language: its id is the file's stem, the rest is assumed."""
    pack = read(AGNOSTICS, "r")
    assert (pack.id, pack.names, pack.fence_tags, pack.extensions) == ("r", ("r",), ("r",), (".r",))
    assert pack.command("execute") == ["Rscript", "snippet.r"]
    assert pack.command("compile") == []
    assert pack.install == Install(text=("apt-get install -y r-base",))
    assert "debian:12" in pack.container
    assert dict(pack.limit_factors) == dict(Factors())


def test_container_instructions_are_kept_as_text() -> None:
    """An Agnostics pack may give the lines of a container file instead of a command."""
    text = AGNOSTICS.replace("install: apt-get install -y r-base", "install:\n  container-instructions: |\n    RUN x\n")
    assert read(text).install == Install(text=("RUN x",))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (GOOD + "exekute: y\n", 3, "did you mean execute?"),
        ("execute: x\n", 1, "filename is missing"),
        ("filename: main.x\n", 1, "execute is missing"),
        (GOOD + "names: [no]\n", 3, "put it in quotes"),
        (GOOD + "names: x\n", 3, "expected a list"),
        (GOOD + "tier: 6\n", 3, "between 1 and 5"),
        (GOOD + "tier: true\n", 3, "between 1 and 5"),
        (GOOD + "prompt: [a]\n", 3, "expected text"),
        (GOOD + "version: x --version\n", 3, "expected a list"),
        (GOOD + "limit_factors: {cpus: 2}\n", 3, "did you mean cpu?"),
        (GOOD + "limit_factors: {cpu: -1}\n", 3, "between 1 and 100"),
        (GOOD + "limit_factors: {cpu: .nan}\n", 3, "between 1 and 100"),
        (GOOD + "self_test:\n  - {name: a, program: b, expect: acepted}\n", 4, "did you mean accepted?"),
        (GOOD + "self_test:\n  - {name: a, program: b, expect: accepted}\n", 4, "needs an output"),
        (GOOD + "self_test:\n  - {name: a, expect: accepted}\n", 4, "program is missing"),
        (GOOD + "self_test:\n  - {name: a, programm: b}\n", 4, "did you mean program?"),
        (GOOD + "environment: [A, B]\n", 3, "expected names with texts"),
        (GOOD + "environment: {}\n", 3, "expected names with texts"),
        (GOOD + "environment:\n  A: 'x'\n  1A: 'x'\n", 5, "not the name of a variable"),
        (GOOD + "environment:\n  A: 1\n", 4, "put it in quotes"),
        (GOOD + 'environment:\n  A: "x\\0"\n', 4, "remove the NUL"),
        (GOOD + "environment:\n  HOME: /x\n", 4, "each box sets it itself"),
        (GOOD + "caches: {A: text}\n", 3, "there is no compile"),
        (GOOD + "compile: x\nenvironment: {A: x}\ncaches: {A: text}\n", 5, "name it in one place"),
        (GOOD + "home: x --home\n", 3, "expected a list"),
        (GOOD + "home: [rustc, --print]\n", 3, "a pattern of a toolchain's folders"),
        (GOOD + "home: [~/../x]\n", 3, "a pattern of a toolchain's folders"),
        (GOOD + "install: {suite: sid}\n", 3, "a suite without packages"),
        (GOOD + "install: {debian: [x], suite: sid, npm: [x@1.0]}\n", 3, "npm cannot be had in a root file system"),
        (GOOD + "zygote: true\n", 3, "expected one of open, read"),
        (GOOD + "zygote_calls: [f]\n", 3, "there is no zygote to call them in"),
        (GOOD + "zygote: open\nzygote_calls: [f(x)]\n", 4, "the name of a C function"),
        (GOOD + "show: [lib/x]\n", 3, "path of a toolchain's own folder"),
        (GOOD + "show: [/var/../x]\n", 3, "path of a toolchain's own folder"),
        (GOOD + "show: [/var]\n", 3, "path of a toolchain's own folder"),
        (GOOD + "show: [/var/lib/x, /tmp/x]\n", 3, "a box has a /tmp of its own"),
        (GOOD + "show: [/home/me]\n", 3, "must not show it"),
        ("filename: ../main.x\nexecute: x\n", 1, "plain file name"),
        ("filename: main.x\nexecute: ''\n", 2, "expected a command"),
    ],
)
def test_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    """What is wrong is refused with file, line, reason and what was probably meant."""
    with pytest.raises(PackError) as caught:
        read(text)
    assert str(caught.value).startswith(f"x.yaml:{line}: ")
    assert said in str(caught.value)


def test_plugin_replaces_ours(plugins: Callable[..., Path]) -> None:
    """A pack of the plugin folder wins over ours of the same id, and new ones are added."""
    folder = plugins(lua="filename: a.lua\nexecute: luajit a.lua\n", zig=GOOD)
    packs = load_languages(folder)
    assert packs["lua"].execute == "luajit a.lua"
    assert packs["zig"].id == "zig"
    assert packs["c"] == load_languages()["c"]
    assert load_languages()["lua"].execute != "luajit a.lua"


def test_broken_plugin_is_left_out_and_told(plugins: Callable[..., Path]) -> None:
    """A broken pack is reported with its file, others still load, and ours does not silently stand in for it."""
    folder = plugins(lua="filename: [\n", zig=GOOD)
    assert "lua" not in load_languages(folder)
    assert "zig" in load_languages(folder)
    ((file, message),) = broken_languages(folder).items()
    assert file == str(folder / "lua.yaml")
    assert message.startswith(f"{file}:")


def test_plugin_that_is_no_text_is_told(tmp_path: Path) -> None:
    """A pack that is not UTF-8 is broken, with the line of the first wrong byte."""
    (tmp_path / "zig.yaml").write_bytes(b"filename: a\n# caf\xe9\n")
    assert "zig.yaml:2: not UTF-8" in broken_languages(tmp_path)[str(tmp_path / "zig.yaml")]


def test_a_folder_without_packs_adds_nothing(tmp_path: Path) -> None:
    """A plugin folder that is empty or absent leaves ours as they are."""
    assert load_languages(tmp_path / "absent") == load_languages(tmp_path) == load_languages()


def test_the_answer_is_the_callers_own() -> None:
    """What a caller does to the answer changes nothing for the next one."""
    load_languages().clear()
    assert load_languages()


@pytest.mark.parametrize("name", ["lua", "Lua", "LUA 5.4", " lua5.4 "])
def test_language_is_found_by_any_of_its_names(name: str) -> None:
    """Id and names lead to the language, in any case of letters."""
    assert language(name).id == "lua"


def test_unknown_language_names_the_nearest() -> None:
    """A name that nobody has is refused with the one that was probably meant."""
    with pytest.raises(PackError, match="did you mean javascript"):
        language("javascrpt")
    with pytest.raises(PackError, match="known: none"):
        language("lua", {})


@each_pack
def test_pack_reads_the_same_as_ours_and_as_a_plugin(pack: Language) -> None:
    """The quick reader of our own files and the one of all others see the same, lines included."""
    text = Path(languages.__file__).with_name(f"{pack.id}.yaml").read_text("utf-8")
    assert load_document(text, "f.yaml", ours=True) == load_document(text, "f.yaml")


def test_no_pack_takes_another_ones_id() -> None:
    """A name that is the id of another pack means that one, in any case of letters."""
    packs = {"lua": replace(read(GOOD), id="lua", names=()), "z": replace(read(GOOD), id="z", names=("lua",))}
    assert language("lua", packs).id == language("Lua", packs).id == "lua"


def test_digest_is_of_what_executes() -> None:
    """Prompts, names and self-tests leave stored verdicts valid; commands, file name and factors do not."""
    pack = read(GOOD)
    assert replace(pack, prompt="other", names=("y",), tier=1, docs="z", self_test=()).digest() == pack.digest()
    changes: list[dict[str, Any]] = [
        {"execute": "y"},
        {"compile": "y"},
        {"filename": "y"},
        {"limit_factors": Factors((("cpu", 2.0),))},
        {"environment": (("A", "1"),)},
        {"environment": (("A", "2"),)},
        {"caches": (("A", "1"),)},
        {"show": ("/var/lib/x",)},
        {"zygote": "open"},
        {"zygote": "read"},
        {"zygote": "read", "zygote_calls": ("x",)},
    ]
    assert len({pack.digest(), *(replace(pack, **change).digest() for change in changes)}) == 1 + len(changes)
    # Where a toolchain lies is seen from the toolchain.
    assert replace(pack, home=("x",)).digest() == pack.digest()


def test_digest_does_not_depend_on_the_order_of_variables() -> None:
    """Variables are the same in whatever order they are written down."""
    assert read(GOOD + "environment: {A: x, B: y}\n").digest() == read(GOOD + "environment: {B: y, A: x}\n").digest()


def test_digest_of_a_default_is_that_of_its_value() -> None:
    """To write down a factor of one changes nothing."""
    assert read(GOOD).digest() == read(GOOD + "limit_factors: {cpu: 1}\n").digest()


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("gcc -O2 -o main main.c -lm", ["gcc", "-O2", "-o", "main", "main.c", "-lm"]),
        ("./main", ["./main"]),
        ("a && b", ["sh", "-c", "a && b"]),
        ("X=1 a", ["sh", "-c", "X=1 a"]),
        ("a 'b c'", ["sh", "-c", "a 'b c'"]),
        ("cd b", ["sh", "-c", "cd b"]),
        ("a $X", ["sh", "-c", "a $X"]),
        ("a *.x", ["sh", "-c", "a *.x"]),
    ],
)
def test_shell_is_started_only_where_needed(text: str, argv: list[str]) -> None:
    """A command without shell syntax is executed as it is."""
    assert replace(read(GOOD), execute=text).command("execute") == argv


def test_runtime_is_told_the_memory_limit() -> None:
    """Commands and variables hold the limit of the task, in mebibytes, where the pack asks for it."""
    pack = read(GOOD + "environment: {HEAP: '{memory_mb}M', ODD: '{memory}'}\nlimit_factors: {memory: 2}\n")
    pack = replace(pack, compile="x -m{memory_mb} main.x", execute="x -m{memory_mb} main.x")
    limits = Limits(memory_bytes=64 * MIB)
    assert pack.command("execute", limits) == pack.command("compile", limits) == ["x", "-m64", "main.x"]
    assert pack.variables(limits) == {"HEAP": "64M", "ODD": "{memory}"}
    assert pack.variables() == {"HEAP": "2048M", "ODD": "{memory}"}
    assert pack.variables(Limits(memory_bytes=1))["HEAP"] == "1M"


@pytest.mark.parametrize(
    ("build", "run", "needed"),
    [
        ("", "lua5.4 main.lua", ["lua5.4"]),
        ("gcc main.c", "./a.out", ["gcc"]),
        ("X=1 ocamlc a.ml && strip a", "./a", ["ocamlc"]),
        ("cd x && make", "ruby 'a b'", ["sh", "ruby"]),
        ("a 'unclosed", "b", ["sh", "b"]),
    ],
)
def test_what_is_needed_is_seen_from_the_commands(build: str, run: str, needed: list[str]) -> None:
    """The commands that a language starts are known before it is offered; what the build makes is not among them."""
    assert replace(read(GOOD), compile=build, execute=run).needs() == needed


def test_missing_toolchain_says_what_to_install() -> None:
    """A command that is not installed is named, with the packages that bring it."""
    pack = replace(read(GOOD), execute="no-such-command-x main.x", install=Install(debian=("x-lang",)))
    with pytest.raises(ToolchainMissing, match=r"language x: the command no-such-command-x .* apt-get install x-lang"):
        toolchain(pack)


def test_missing_toolchain_is_looked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing what was missing helps without a restart."""
    pack = replace(read(GOOD), execute="late-command-x main.x")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ToolchainMissing):
        toolchain(pack)
    script = tmp_path / "late-command-x"
    script.write_text("#!/bin/sh\n", "utf-8")
    script.chmod(0o755)
    assert toolchain(pack).startswith(str(script))


def test_toolchain_without_version_is_the_file() -> None:
    """Where no version can be asked for, the file and its content name the toolchain."""
    assert " sha256:" in toolchain(replace(read(GOOD), execute="sh main.x"))
