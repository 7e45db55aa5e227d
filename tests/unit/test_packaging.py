"""What is shipped, locked and promised is what is in the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pyarrow
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("jobs", "quality", "sandbox_exec", "udfs")
LAKES = {"demo-lake", "tasklake-demo", "tasklake-lake"}
# What is tested and shipped alike: the folder, and its name in the wheel.
ATTACKS = ("tests/sandbox/adversarial/attacks", "sandbox_exec/adversarial/attacks")
MADE = {".venv", ".git", "build", "dist", "spark-warehouse", "__pycache__", ".ruff_cache"} | LAKES
# Written with a class, so that this file does not hold the names that it looks for.
REGISTRY = re.compile(
    r"py[p]i\.(org|python)|pythonhosted[.]org|repo\d*[.]maven|maven[.]org|npmjs[.]|crates[.]io|conda[.]anaconda[.]org"
)
# A command line in a document: the program and its first word.
LINE = re.compile(r"^\s*(?:\$ )?(?:\.venv/bin/)?(?P<program>make|tasklake) +(?P<word>[a-z][a-z0-9-]*)", re.MULTILINE)

project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def shipped_files() -> set[str]:
    """Every file in the four folders, and the attacks that doctor runs, by its name in the wheel."""
    folders = {name: name for name in FOLDERS} | dict([ATTACKS])
    return {
        f"tasklake/{name}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, name in folders.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not MADE.intersection(path.relative_to(ROOT).parts)
        if path != ROOT / ATTACKS[0] / "ruff.toml"  # the linter's alone
    }


def repository_texts() -> list[Path]:
    files = [path for path in ROOT.rglob("*") if path.is_file() and not MADE.intersection(path.relative_to(ROOT).parts)]
    return [path for path in files if path.suffix not in {".pyc", ".jar", ".png"} and "_cache" not in str(path)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy: an earlier build folder would slip deleted modules into it."""
    copy = tmp_path_factory.mktemp("wheel")
    for name in (*FOLDERS, ATTACKS[0]):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, copy / name)
    code = "import sys, setuptools.build_meta as b; sys.argv[1:] = []; b.build_wheel('dist')"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next((copy / "dist").glob("*.whl")))


def test_packages_are_the_folders_on_disk() -> None:
    """pyproject.toml lists each folder that holds a shipped file, and no other; the attacks are one package's files."""
    listed = project["tool"]["setuptools"]["packages"]
    attacks = f"tasklake/{ATTACKS[1]}"
    folders = {attacks if name.startswith(attacks) else str(Path(name).parent) for name in shipped_files()}
    on_disk = {folder.replace("/", ".") for folder in folders}
    assert sorted(listed) == sorted(on_disk)


def test_folders_with_modules_are_packages() -> None:
    """A folder that holds modules has its __init__.py: tools treat it differently without."""
    folders = {path.parent for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_wheel_holds_the_four_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Each file of the four folders is in the wheel and each attack; other tests and notebooks are not."""
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == shipped_files()


def test_wheel_leaves_spark_to_the_platform(wheel: zipfile.ZipFile) -> None:
    """pyspark and delta are asked for by extras only."""
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    required = [line for line in wheel.read(metadata).decode().splitlines() if line.startswith("Requires-Dist:")]
    hard = [line for line in required if "extra ==" not in line]
    assert hard
    assert not [line for line in hard if re.search("spark|databricks", line)]


def test_the_zip_for_executors_imports_and_reads_packs(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """What `make zip` makes of the wheel works from sys.path alone: modules, language packs and the sandbox's agent."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "-m zipfile -c dist/tasklake.zip build/zip/tasklake" in makefile
    wheel.extractall(tmp_path)
    shipped = tmp_path / "tasklake.zip"
    command = [sys.executable, "-m", "zipfile", "-c", str(shipped), str(tmp_path / "tasklake")]
    subprocess.run(command, check=True)
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]; sys.path.extend(sys.argv[2:])\n"
        "from tasklake.udfs import execute, spool\n"
        "from tasklake.sandbox_exec import channel, languages, pool\n"
        "assert all('tasklake.zip' in each.__file__ for each in (execute, spool, languages, channel, pool))\n"
        "assert 'python' in languages.load_languages() and not languages.broken_languages()\n"
        "assert channel.agent_source()\n"
    )
    # Without site packages of the checkout: the folders themselves must not be found.
    libraries = {str(Path(module.__file__ or "").parents[1]) for module in (yaml, pyarrow)}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(shipped), *libraries], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_lock_pins_by_hash_and_names_no_place() -> None:
    """Each line of requirements.lock is a version with hashes; no index, file or address."""
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    allowed = re.compile(r"[a-z0-9][a-z0-9.-]*==\S+( ; .*)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert not [line for line in lines if not allowed.fullmatch(line)]


def test_lock_agrees_with_the_jars() -> None:
    """The locked delta-spark has the version of the Delta JARs, the locked pyspark a section of jars.lock."""
    lock = dict(re.findall(r"^(delta-spark|pyspark)==(\S+)", (ROOT / "requirements.lock").read_text("utf-8"), re.M))
    jars = (ROOT / "jobs/jars.lock").read_text("utf-8")
    assert set(re.findall(r"io\.delta:[^:]+:(\S+)", jars)) == {lock["delta-spark"]}
    assert f"[{lock['pyspark'].rpartition('.')[0]} delta]" in jars


def test_every_dependency_states_its_reason() -> None:
    """Each dependency in pyproject.toml has a comment on its line."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    section = text.partition("dependencies = [")[2].partition("[project.scripts]")[0]
    lines = [line for line in section.splitlines() if line.startswith('    "')]
    assert lines
    assert not [line for line in lines if not re.search(r'", +# \S', line)]


def test_no_registry_is_named() -> None:
    """Where packages come from is the machine's business: no file of the repository names a registry."""
    named = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in repository_texts()
        if (found := REGISTRY.search(path.read_bytes().decode("utf-8", "replace")))
    ]
    assert not named


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documented_commands_exist(document: str) -> None:
    """Each `make X` and `tasklake X` in the code blocks of the documents is a target or a command."""
    if not (ROOT / document).is_file():
        pytest.skip(f"{document} is missing")
    text = (ROOT / document).read_text("utf-8")
    blocks = "\n".join(re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    blocks += "\n" + "\n".join(re.findall(r"`((?:\.venv/bin/)?(?:make|tasklake) [^`]+)`", text))
    known = {"make": make_targets(), "tasklake": cli_commands()}
    unknown = [found.group().strip() for found in LINE.finditer(blocks) if found["word"] not in known[found["program"]]]
    assert not unknown


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def cli_commands() -> set[str]:
    typer = pytest.importorskip("typer")
    cli = pytest.importorskip("tasklake.jobs.cli")
    return set(typer.main.get_command(cli.application()).commands)


def test_ci_runs_check_and_test_once() -> None:
    """.ci/run is executable and runs `make check test`; the tests are one pytest call with one closing line."""
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert re.search(r"^make check test\b", script.read_text("utf-8"), re.MULTILINE)
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert recipe
    assert recipe.group(1).count("$(PYTEST)") == 1
