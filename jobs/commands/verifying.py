"""The command that verifies programs against cases, without Spark and without a lake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from tasklake.jobs import render
from tasklake.jobs.commands import Answer, Shared

if TYPE_CHECKING:
    from tasklake.sandbox_exec.job import Job

# 0 accepted, 1 not accepted, 3 a failure of ours.
CODES = {"accepted": 0, "internal_error": 3}
# How often a person is told how far a batch is.
TELL_S = 2.0

File = Annotated[Path | None, typer.Argument(metavar="FILE", help="The program.")]
Lang = Annotated[str | None, typer.Option("--language", metavar="ID", help="Its language: a pack's id or name.")]
Cases = Annotated[Path | None, typer.Option("--cases", metavar="CASES.jsonl", help='Lines of {"input", "output"}.')]
Tests = Annotated[
    Path | None,
    typer.Option("--tests", metavar="TESTS", help="A test program by the language's convention, run after the cases."),
]
Checker = Annotated[str, typer.Option("--checker", metavar="C", help="How outputs are compared, e.g. tokens:1e-6.")]
LimitOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--limits", metavar="K=V", help="cpu_s, wall_s, memory_mb, output_mb, processes, … as in cpu_s=2,memory_mb=64."
    ),
]
Isolation = Annotated[str, typer.Option("--isolation", metavar="LEVEL", help="any, standard, strict, or a level.")]
RunAll = Annotated[bool, typer.Option("--run-all", help="Run the cases behind the first failure too.")]
Batch = Annotated[
    Path | None,
    typer.Option(
        "--batch", metavar="JOBS.jsonl", help='Many programs: lines of {"id", "program", "language", "cases"}.'
    ),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="RESULTS.jsonl", help="Where a batch's results are added.")]
Slots = Annotated[int | None, typer.Option("--slots", min=1, help="Programs at once in a batch; default: one a core.")]


def verify(
    shared: Shared,
    file: File = None,
    language: Lang = None,
    cases: Cases = None,
    tests: Tests = None,
    checker: Checker = "lines",
    limits: LimitOptions = None,
    isolation: Isolation = "any",
    run_all: RunAll = False,
    batch: Batch = None,
    out: Out = None,
    slots: Slots = None,
) -> Answer:
    """Run a program against cases or tests in the sandbox, or many with --batch: exit 0 accepted, 1 not, 3 ours."""
    from tasklake.jobs.config import UsageError

    if batch is not None:
        if out is None or file is not None:
            raise UsageError("--batch JOBS.jsonl needs --out RESULTS.jsonl, and takes no FILE")
        return _many(shared, batch, out, isolation, run_all, slots)
    if file is None or language is None or not (cases or tests):
        raise UsageError(
            "verify needs FILE, --language ID and --cases CASES.jsonl or --tests TESTS; or --batch JOBS.jsonl and --out"
        )
    with _usage():
        found = _one(_job(shared, file, language, (cases, tests), (checker, limits or [])), isolation, run_all)
    rows = [{"case": number, **case} for number, case in enumerate(found["cases"])]
    rows += [{"case": "tests", **found["tests"]}] if "tests" in found else []
    view: list[RenderableType] = [
        render.records(rows),
        Text(f"\n{found['verdict']}  ({found['toolchain']}, {found['isolation']})"),
    ]
    tail = [Text("\n" + render.shown(found["stderr_tail"], limit=render.UNWRAPPED))] if found["stderr_tail"] else []
    return Answer(found, [*view, *tail], code=CODES.get(found["verdict"], 1))


def _job(
    shared: Shared, file: Path, name: str, given: tuple[Path | None, Path | None], rules: tuple[str, list[str]]
) -> Job:
    from tasklake.sandbox_exec.job import Job
    from tasklake.sandbox_exec.languages import language
    from tasklake.sandbox_exec.verifying import limits_of, read_cases, read_tests

    (cases, tests), (checker, limits) = given, rules
    pack = language(name, _packs(shared))
    program, known = file.read_bytes(), read_cases(cases) if cases else []
    return Job(program, pack, known, limits_of(_limits(limits)), checker, read_tests(tests) if tests else b"")


def _one(job: Job, isolation: str, run_all: bool) -> dict[str, Any]:
    from tasklake.sandbox_exec.pool import Pool
    from tasklake.sandbox_exec.verifying import told

    with Pool(isolation=isolation) as pool:
        return told(pool.done(job, run_all=run_all))


def _many(shared: Shared, jobs: Path, out: Path, isolation: str, run_all: bool, slots: int | None) -> Answer:
    from tasklake.sandbox_exec.pool import Pool, cores
    from tasklake.sandbox_exec.verifying import verify_many

    told = [0.0]

    with render.progress("verifying") as say, _usage(), Pool(slots or cores(), isolation) as pool:

        def progress(done: int, of: int) -> None:
            if time.monotonic() - told[0] > TELL_S:
                told[0] = time.monotonic()
                say("verify", {"text": f"{done} of {of} programs"})

        counts = verify_many(jobs, out, pool, _packs(shared), run_all=run_all, progress=progress)
    return Answer(
        {**counts, "out": str(out)}, [render.records([counts]), Text(f"results in {out}")], not counts["errors"]
    )


def _packs(shared: Shared) -> Any:
    from tasklake.sandbox_exec.languages import load_languages

    plugins = shared.settings().plugins
    return load_languages(plugins / "languages" if plugins else None)


def _limits(given: list[str]) -> dict[str, float]:
    """The limits that were given, several in one word parted by commas if need be."""
    from tasklake.jobs.config import UsageError

    found = {}
    for each in (part for text in given for part in text.split(",")):
        name, equals, value = each.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise UsageError(f"--limits {each}: expected a name and a number, such as cpu_s=2") from None
        found[name.strip()] = int(number) if equals and number.is_integer() and not name.endswith("_s") else number
    return found


@contextmanager
def _usage() -> Iterator[None]:
    """What was named wrongly is the caller's mistake; a missing toolchain is not."""
    from tasklake.jobs.config import UsageError
    from tasklake.sandbox_exec.backends import IsolationError
    from tasklake.sandbox_exec.checkers import CheckerError
    from tasklake.sandbox_exec.languages import NoConventionError, PackError
    from tasklake.sandbox_exec.limits import LimitError
    from tasklake.sandbox_exec.verifying import InputError

    try:
        yield
    except (IsolationError, CheckerError, PackError, NoConventionError, LimitError, InputError) as error:
        raise UsageError(str(error)) from None
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from None
