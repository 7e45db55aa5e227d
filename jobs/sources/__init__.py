"""Corpora: one module each with its licence, pinned revision, true schema, and the mapping of a row to a problem.

Adding a corpus is adding `jobs/sources/<name>.py` (or the same file in the plugins folder) with:

- `LICENCE`, `VERSION` (raised when the mapping changes);
- `REVISION`, what the mapping was written against: kept with each problem unless the recipe pins another;
- `SCHEMA`, the columns that are read, as `tasklake.udfs.rows.checked` understands them;
- `problem(row)`, which yields the problem's fields or raises `RowError`;
- optionally `SOLUTION_SCHEMA` and `solution(row)` for a companion file of trusted solutions (`solutions_path`).
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from tasklake.jobs.config import UsageError
from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.plugins import PluginError, load_plugin
from tasklake.udfs.identity import bytes_hash
from tasklake.udfs.rows import RawRow, RowError, checked, excerpt, fits, raw_rows
from tasklake.udfs.spool import Measure, OpenMeasure, Row

# Fields of a problem that a source may leave out.
DEFAULTS: Mapping[str, Any] = {
    "title": "",
    "setup": "",
    "tests": [],
    "input_format": "",
    "output_format": "",
    "cases": [],
    "solutions": [],
}
REQUIRED = ("source_id", "style", "statement")
# What the pipeline asks of a source's module.
NEEDED: Mapping[str, Any] = {"LICENCE": str, "VERSION": str, "SCHEMA": Mapping, "problem": Callable}
# What a mapping has to yield, in the types of `checked`.
STYLES = ("asserts", "stdio")
PROBLEM: Mapping[str, str] = {
    **dict.fromkeys(("source_id", "style", "statement", "title", "setup", "licence"), "string"),
    **dict.fromkeys(("input_format", "output_format"), "string"),
    "tests": "[string]",
    "cases": "[{input:string,output:string}]",
    "solutions": "[{language:string,program:string}]",
}
SOLUTION: Mapping[str, str] = dict.fromkeys(("source_id", "language", "program"), "string")


def source_names(plugins: Path | None = None) -> list[str]:
    """The name of every corpus that can be read."""
    packaged = [m.name for m in pkgutil.iter_modules(__path__)]
    return sorted({*packaged, *plugin_names(plugins)})


def plugin_names(plugins: Path | None) -> list[str]:
    """The names of the corpora that the plugins folder brings."""
    return [path.stem for path in _plugin_files(plugins)]


def load_source(name: str, plugins: Path | None = None) -> ModuleType:
    """The module of a corpus; a plugin wins over a packaged one of the same name."""
    for path in _plugin_files(plugins):
        if path.stem == name:
            return _load_plugin(path)
    if name not in source_names():
        right = nearest(name, source_names(plugins))
        hint = f"; did you mean {right}?" if right else ""
        raise UsageError(f"source {name} is unknown{hint} Known: {', '.join(source_names(plugins))}")
    return importlib.import_module(f"{__name__}.{name}")


def _plugin_files(plugins: Path | None) -> list[Path]:
    return sorted((plugins / "sources").glob("[a-z]*.py")) if plugins else []


def _load_plugin(path: Path) -> ModuleType:
    """The user's module; shipped to workers by value, because they do not have the file."""
    from pyspark import cloudpickle

    try:
        module = load_plugin(path, "source", NEEDED)
    except PluginError as error:
        raise UsageError(str(error)) from error
    cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    return module


@dataclass(frozen=True)
class Mapper:
    """Maps the raw rows of one file to problems and solutions; travels to workers."""

    name: str
    module: ModuleType
    licence: str
    max_row_bytes: int

    @property
    def revision(self) -> str:
        """What the mapping was written against, where the source says it."""
        return str(getattr(self.module, "REVISION", ""))

    @property
    def versions(self) -> tuple[str, ...]:
        """What a row's mapping depends on: the source's version, and every byte of a file of the user's own."""
        packaged = self.module.__name__.startswith(__name__)
        own = () if packaged else (bytes_hash(Path(str(self.module.__file__)).read_bytes()),)
        return (self.module.VERSION, *own)

    def open(self) -> OpenMeasure:
        """What a task opens to map files."""
        problem = partial(_problem, self.module.problem, self.module.SCHEMA, self.licence)
        solution = partial(
            _solution, getattr(self.module, "solution", None), getattr(self.module, "SOLUTION_SCHEMA", {})
        )
        return partial(_opened, self.name, problem, solution, self.max_row_bytes)


@contextmanager
def _opened(source: str, problem: Any, solution: Any, max_bytes: int) -> Iterator[Measure]:
    def rows(file: Mapping[str, Any]) -> Iterator[Row]:
        mapping = problem if file["kind"] == "problem" else solution
        for raw in raw_rows(file, max_bytes):
            yield _outcome(source, file, raw, mapping)

    yield rows


def _outcome(source: str, file: Mapping[str, Any], raw: RawRow, mapping: Any) -> Row:
    """What became of one raw row: its mapped fields or a reason."""
    row: Row = {
        "source": source,
        "kind": file["kind"],
        "digest": raw.digest,
        "file": file["name"],
        "line": raw.line,
        "location": f"{file['name']}:{raw.line}",
        "reason": raw.reason,
        "detail": raw.detail,
        "excerpt": raw.excerpt,
    }
    if raw.value is None:
        return row
    try:
        mapped: Row = mapping(raw.value)
        return row | mapped
    except RowError as error:
        return row | {"reason": error.reason, "detail": str(error)}
    except Exception as error:  # noqa: BLE001  a hostile row may break a mapping in ways nobody foresaw; it becomes a reason
        return row | {
            "reason": "source_failed",
            "detail": f"{_raised_at(error)}: the source's mapping raised {type(error).__name__}: {error}",
        }


def _raised_at(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _problem(mapping: Any, schema: Mapping[str, str], licence: str, row: Mapping[str, Any]) -> Row:
    made = _yielded(mapping, mapping(checked(row, schema)), {**DEFAULTS, "licence": licence}, PROBLEM)
    if made["style"] not in STYLES:
        raise RowError(
            "source_failed", f"{_place(mapping)} gave the style {made['style']}; it is {' or '.join(STYLES)}"
        )
    return {"source_id": made.pop("source_id"), "problem": made}


def _solution(mapping: Any, schema: Mapping[str, str], row: Mapping[str, Any]) -> Row:
    if mapping is None:
        raise RowError("no_solutions_here", "this source knows no file of solutions; remove solutions_path")
    made = _yielded(mapping, mapping(checked(row, schema)), {}, SOLUTION)
    return {"source_id": made.pop("source_id"), "solution": made}


def _yielded(mapping: Any, made: Any, defaults: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    """What the mapping yielded, completed; a field that is missing, unknown or of a wrong type refuses the row."""
    if not isinstance(made, Mapping):
        raise RowError("source_failed", f"{_place(mapping)} gave {type(made).__name__}; it gives the fields as a dict")
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in made.items()}
    whole = {**defaults, **{name: value for name, value in given.items() if value is not None}}
    unknown = [str(name) for name in whole if name not in kinds]
    if unknown:
        raise RowError("source_failed", f"{_place(mapping)} gave {unknown[0]}; the fields are {', '.join(kinds)}")
    for name, kind in kinds.items():
        value = whole.setdefault(name, "")
        if not fits(value, kind):
            said = excerpt(repr(value).encode("utf-8", "replace"))
            raise RowError("source_failed", f"{_place(mapping)} gave {name} = {said}, expected {kind}")
        if value == "" and name not in defaults:
            raise RowError("empty_field", f"{name} is empty")
    _refuse_no_text(whole)
    return whole


def _refuse_no_text(made: Mapping[str, Any]) -> None:
    try:
        json.dumps(made, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise RowError("bad_utf8", "a string holds half of a surrogate pair") from None


def _place(mapping: Any) -> str:
    """Where a person finds the mapping."""
    code = getattr(mapping, "__code__", None)
    return f"{code.co_filename}: {code.co_name}" if code else repr(mapping)
