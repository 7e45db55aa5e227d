"""The command that verifies programs against cases, without Spark and without a lake."""

from __future__ import annotations

import errno
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
from tasklake.sandbox_exec.errors import TasklakeError

if TYPE_CHECKING:
    from tasklake.sandbox_exec.job import Job

# 0 accepted, 1 not accepted, 3 a failure of ours.
CODES = {"accepted": 0, "internal_error": 3}
OURS, UNUSABLE = 3, 1
# How often a person is told how far a batch is.
TELL_S = 2.0
# What a path that somebody has typed can be wrong in; every other error of the system is the machine's.
WRONG_PATH = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG,
    errno.ENXIO,
)  # fmt: skip

File = Annotated[Path | None, typer.Argument(metavar="FILE", help="The program.")]
Lang = Annotated[str | None, typer.Option("--language", metavar="ID", help="Its language: a pack's id or name.")]
Cases = Annotated[Path | None, typer.Option("--cases", metavar="CASES.jsonl", help='Lines of {"input", "output"}.')]
Tests = Annotated[
    Path | None,
    typer.Option("--tests", metavar="TESTS", help="A test program by the language's convention, run after the cases."),
]
Checker = Annotated[
    str | None,
    typer.Option(
        "--checker",
        metavar="C",
        help="How outputs are compared: lines (the default), exact, presentation, unordered, tokens or tokens:1e-4, "
        "tokens:kattis or with flags of Kattis, agnostics, livecodebench.",
    ),
]
LimitOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--limits",
        metavar="K=V",
        help="As in cpu_s=2,memory_mb=64: cpu_s, wall_s, memory_mb, output_mb, file_mb, memory_bytes, output_bytes, "
        "file_bytes, stack_bytes, processes, open_files. A pack scales some of them for its language.",
    ),
]
Isolation = Annotated[
    str,
    typer.Option(
        "--isolation",
        metavar="LEVEL",
        help="The least: any, standard or strict; or one level: namespaces, docker, landlock, process.",
    ),
]
RunAll = Annotated[bool, typer.Option("--run-all", help="Run the cases behind the first failure too.")]
Batch = Annotated[
    Path | None,
    typer.Option(
        "--batch",
        metavar="JOBS.jsonl",
        help='Many programs: lines of {"id", "program", "language", "cases"}; "tests" beside or in place of cases, '
        'and "checker" and "limits" (an object), may be there too.',
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="RESULTS.jsonl",
        help='Where a batch\'s results are added: lines of {"id", …} as --json tells them, or of {"id", "error"}.',
    ),
]
Slots = Annotated[int | None, typer.Option("--slots", min=1, help="Programs at once in a batch; default: one a core.")]


class OursError(TasklakeError):
    """The machine or its toolchains kept a program from being judged."""

    exit_code = OURS


def verify(
    shared: Shared,
    file: File = None,
    language: Lang = None,
    cases: Cases = None,
    tests: Tests = None,
    checker: Checker = None,
    limits: LimitOptions = None,
    isolation: Isolation = "any",
    run_all: RunAll = False,
    batch: Batch = None,
    out: Out = None,
    slots: Slots = None,
) -> Answer:
    """Run a program against cases or tests in the sandbox, or many with --batch.

    Exit codes: 0 accepted, 1 not accepted, 2 used wrongly, 3 our fault, such as a missing toolchain.
    Of a batch: 0 every program has a verdict, 1 some lines cannot be run, 3 some failed through our fault.

    The same words again go on with a batch that was stopped: what has a result is not run again.
    A result at another isolation than is asked for, or without all cases where --run-all asks for them, is none.
    Where an id has several lines, the last one counts.
    """
    from tasklake.jobs.config import UsageError

    single = {
        "FILE": file, "--language": language, "--cases": cases, "--tests": tests, "--checker": checker,
        "--limits": limits,
    }  # fmt: skip
    if batch is not None:
        unused = [name for name, value in single.items() if value]
        if out is None or unused:
            told = f"; {', '.join(unused)} is for one program: a line of JOBS.jsonl says it itself" if unused else ""
            raise UsageError(f"--batch JOBS.jsonl needs --out RESULTS.jsonl, and takes no FILE{told}")
        with _usage(batch, out):
            return _many(shared, (batch, out), isolation, run_all, slots)
    if file is None or language is None or not (cases or tests):
        raise UsageError(
            "verify needs FILE, --language ID and --cases CASES.jsonl or --tests TESTS; or --batch JOBS.jsonl and --out"
        )
    if out or slots:
        raise UsageError(f"{'--out' if out else '--slots'} is for --batch alone; leave it out")
    with _usage(file, cases, tests):
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
    shared: Shared, file: Path, name: str, given: tuple[Path | None, Path | None], rules: tuple[str | None, list[str]]
) -> Job:
    from tasklake.sandbox_exec.job import Job
    from tasklake.sandbox_exec.languages import language
    from tasklake.sandbox_exec.verifying import limits_of, read_cases, read_tests

    (cases, tests), (checker, limits) = given, rules
    pack = language(name, _packs(shared))
    program, known = file.read_bytes(), read_cases(cases) if cases else []
    tested, most = read_tests(tests) if tests else b"", limits_of(_limits(limits))
    return Job(program, pack, known, most, checker or "lines", tested)


def _one(job: Job, isolation: str, run_all: bool) -> dict[str, Any]:
    from tasklake.sandbox_exec.pool import Pool
    from tasklake.sandbox_exec.verifying import told

    with Pool(isolation=isolation) as pool:
        return told(pool.done(job, run_all=run_all))


def _many(shared: Shared, files: tuple[Path, Path], isolation: str, run_all: bool, slots: int | None) -> Answer:
    from tasklake.sandbox_exec.batch import Results, verify_many
    from tasklake.sandbox_exec.pool import Pool, cores

    (jobs, out), told = files, [0.0]
    with (
        render.progress("verifying") as say,
        Results(out, jobs, isolation, run_all) as results,
        Pool(slots or cores(), isolation) as pool,
    ):

        def progress(done: int, of: int) -> None:
            if time.monotonic() - told[0] > TELL_S:
                told[0] = time.monotonic()
                say("verify", {"text": f"{done} of {of} programs"})

        counts = verify_many(jobs, results, pool, _packs(shared), progress)
    code = OURS if counts["ours"] else UNUSABLE if counts["errors"] else 0
    return Answer({**counts, "out": str(out)}, [render.records([counts]), Text(f"results in {out}")], code=code)


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
def _usage(*named: Path | None) -> Iterator[None]:
    """What was named wrongly is the caller's mistake; a missing toolchain or a full disk is not the program's."""
    from tasklake.jobs.config import UsageError
    from tasklake.sandbox_exec.backends import IsolationError
    from tasklake.sandbox_exec.verifying import MISTAKES

    try:
        yield
    except (IsolationError, *MISTAKES) as error:
        raise UsageError(str(error)) from None
    except BrokenPipeError:
        raise
    except TasklakeError as error:
        if hasattr(error, "exit_code"):
            raise
        raise OursError(str(error)) from error
    except OSError as error:
        told = f"{error.filename or 'the system'}: {error.strerror or error}"
        if error.errno in WRONG_PATH and str(error.filename) in map(str, named):
            raise UsageError(told) from None
        raise OursError(f"{told}; mend that and run again") from error
