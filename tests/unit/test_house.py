"""The habits of the house hold in every file of the four packages; exceptions are few, named and argued here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("jobs", "quality", "sandbox_exec", "udfs")
MODULES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400
MAX_PARAMETERS = 6

# "path:function" or "path": why the rule does not hold there.
LONG_FUNCTIONS: dict[str, str] = {}
LONG_FILES: dict[str, str] = {}
MANY_PARAMETERS: dict[str, str] = {"jobs/commands/verifying.py:verify": "each is an option of the command"}

# Only here may the environment be read; everything else is given what it needs.
ENVIRONMENT_READERS = {
    "jobs/config.py", "sandbox_exec/adversarial/__main__.py", "sandbox_exec/installing/tools.py", "udfs/llm/secrets.py",
}  # fmt: skip
CLASSIC_ONLY = {"rdd", "sparkContext", "_jdf", "_jvm", "_jsc", "_jsparkSession", "_sc"}
SESSION = "jobs/session.py"
LAKE = "jobs/lake/"
# A statement, not a sentence about one: VACUUM and OPTIMIZE count when a table follows.
DELTA_SQL = re.compile(
    r"\bMERGE INTO\b|\bUSING DELTA\b|\bDESCRIBE HISTORY\b|\b(VACUUM|OPTIMIZE) ([{`]|delta)|\bdelta\.`"
)
VAGUE_NAMES = re.compile(r"(utils?|commons?|helpers?|base.*|misc)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"), str(path))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that the file imports, inside functions too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module or ''}.{alias.name}") for alias in node.names)


def parameters(function: Function) -> list[str]:
    arguments = function.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string that is not a docstring."""
    module = tree(path)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(module) if isinstance(node, documented)]
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


each_module = pytest.mark.parametrize("path", MODULES, ids=str)


@each_module
def test_functions_stay_short(path: Path) -> None:
    """No function is longer than 60 lines."""
    long = [
        f"{path}:{each.lineno} {each.name}"
        for each in functions(path)
        if (each.end_lineno or 0) - each.lineno + 1 > MAX_FUNCTION_LINES and f"{path}:{each.name}" not in LONG_FUNCTIONS
    ]
    assert not long


@each_module
def test_files_stay_short(path: Path) -> None:
    """No file is longer than 400 lines."""
    assert str(path) in LONG_FILES or len((ROOT / path).read_text("utf-8").splitlines()) <= MAX_FILE_LINES


@each_module
def test_functions_take_few_parameters(path: Path) -> None:
    """No function takes more than six parameters."""
    many = [
        f"{path}:{each.lineno} {each.name}"
        for each in functions(path)
        if len(parameters(each)) > MAX_PARAMETERS and f"{path}:{each.name}" not in MANY_PARAMETERS
    ]
    assert not many


@each_module
def test_modules_are_named_after_something(path: Path) -> None:
    """No module or folder is called utils, common, helpers or base."""
    assert not [part for part in path.with_suffix("").parts if VAGUE_NAMES.fullmatch(part)]


@each_module
def test_everything_public_is_documented(path: Path) -> None:
    """Each module, public class and public function says what is true."""
    module = tree(path)
    public = [
        node
        for node in module.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    bare = [f"{path}:{node.lineno} {node.name}" for node in public if not ast.get_docstring(node)]
    # An __init__.py that only marks a folder has nothing to say.
    assert ast.get_docstring(module) or not module.body
    assert not bare


@each_module
def test_environment_has_one_reader(path: Path) -> None:
    """os.environ is read for settings, for secrets of workers and for installers; attacks are given one to look for."""
    if path.as_posix() in ENVIRONMENT_READERS:
        return
    names = ("environ", "environb", "getenv", "getenvb", "putenv")
    reads = [
        f"{path}:{node.lineno} os.{node.attr}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("os", "posix")
        if node.attr in names
    ]
    reads += [f"{path}:{line} {name}" for line, name in imports(path) if name in {f"os.{each}" for each in names}]
    assert not reads


@each_module
def test_imports_are_absolute_and_nothing_prints(path: Path) -> None:
    """Imports name the whole path; output goes through logging or the command line's console."""
    found = [
        f"{path}:{node.lineno}"
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.ImportFrom) and node.level > 0)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
    ]
    assert not found


@each_module
def test_spark_is_used_as_connect_allows(path: Path) -> None:
    """What only classic Spark has is touched by the session module alone; delta's own Python API nowhere."""
    used = [
        f"{path}:{node.lineno} .{node.attr}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in CLASSIC_ONLY and path.as_posix() != SESSION
    ]
    used += [f"{path}:{line} {name}" for line, name in imports(path) if name.split(".")[0] == "delta"]
    assert not used


@each_module
def test_delta_is_known_to_the_lake_alone(path: Path) -> None:
    """deltalake and Delta's SQL appear under jobs/lake/ only."""
    if path.as_posix().startswith(LAKE):
        return
    used = [f"{path}:{line} {name}" for line, name in imports(path) if name.split(".")[0] == "deltalake"]
    used += [f"{path}:{line} {text[:60]!r}" for line, text in strings(path) if DELTA_SQL.search(text)]
    assert not used


@each_module
def test_sandbox_needs_the_standard_library_alone(path: Path) -> None:
    """sandbox_exec imports the standard library and itself; yaml in documents.py, docker when containers are wanted."""
    if path.parts[0] != "sandbox_exec":
        return
    own = {"tasklake", "__future__", *sys.stdlib_module_names} | ({"yaml"} if path.name == "documents.py" else set())
    at_once = {node.lineno for node in tree(path).body}
    later = {"docker"} if path.parts[1] == "containers" else set()
    found = [(line, name, name.split(".")[0]) for line, name in imports(path)]
    assert not [
        f"{path}:{line} {name}" for line, name, top in found if top not in own and (top not in later or line in at_once)
    ]


def test_quality_and_sandbox_import_without_spark() -> None:
    """Every module of quality and sandbox_exec imports where neither pyspark nor docker is installed."""
    names = [
        ".".join(("tasklake", *path.with_suffix("").parts)).removesuffix(".__init__")
        for path in MODULES
        if path.parts[0] in ("quality", "sandbox_exec") and path.name != "__main__.py"
    ]
    code = (
        "import importlib, sys; sys.modules['pyspark'] = sys.modules['docker'] = None; "
        "[importlib.import_module(n) for n in sys.argv[1:]]"
    )
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_tests_are_no_package() -> None:
    """tests/ holds no __init__.py: equal file names in two tiers would collide. The attacks are shipped, as one."""
    packages = [path.parent.as_posix() for path in TESTS if path.name == "__init__.py"]
    assert packages == ["tests/sandbox/adversarial/attacks"]


def test_exceptions_are_still_needed() -> None:
    """Each exception names a file, and for a function a function, that exists."""
    named = [*LONG_FUNCTIONS, *LONG_FILES, *MANY_PARAMETERS]
    assert not [each for each in named if not (ROOT / each.split(":")[0]).is_file()]
