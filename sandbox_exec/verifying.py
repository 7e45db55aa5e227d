"""Programs and cases from files, and what running them showed as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tasklake.sandbox_exec.checkers import CheckerError, checker
from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import Language, NoConventionError, PackError, language, toolchain
from tasklake.sandbox_exec.limits import MIB, LimitError, Limits, number
from tasklake.sandbox_exec.verdict import Case, Result, Step, Verdict

CASE_KEYS = ("input", "output")
NEEDED = ("id", "program", "language")
JOB_KEYS = (*NEEDED, "cases", "checker", "limits", "tests")
# Recipes speak of megabytes; both spellings are taken.
MEGABYTES = {"memory_mb": "memory_bytes", "output_mb": "output_bytes", "file_mb": "file_bytes"}
STEP_KEYS = (
    "verdict", "cpu_s", "wall_s", "peak_memory_bytes", "output_bytes", "exit_code", "signal", "measured_by",
)  # fmt: skip


class InputError(TasklakeError):
    """A file of cases, jobs or results cannot be used; the message begins with the file and the line."""


# What whoever asked has written wrongly; every other error is a failure of ours.
MISTAKES = (CheckerError, InputError, LimitError, NoConventionError, PackError)
# A sentence or two: what a line holds may be quoted in them, and may be megabytes long.
MOST_TOLD = 1000


@dataclass(frozen=True)
class Asked:
    """One line of a file of jobs: what to run, or why that cannot be done."""

    name: Any
    digest: str
    job: Job | Exception


def read_cases(path: Path) -> list[Case]:
    """The cases of a file: a line each, {"input": …, "output": …}."""
    cases = [case_of(row, place) for place, row in rows_of(path)]
    if not cases:
        raise InputError(f'{path}: holds no case; a case is a line such as {{"input": "1 2\\n", "output": "3\\n"}}')
    return cases


def read_tests(path: Path) -> bytes:
    """The test program of a file; an empty one would pass whatever the program does."""
    tests = path.read_bytes()
    if not tests.strip():
        raise InputError(f"{path}: holds no test")
    return tests


def rows_of(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a JSONL file, each with its place."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield f"{path}:{number}", parsed(line, f"{path}:{number}")


def parsed(line: bytes, place: str) -> Any:
    """The value that a line holds."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not JSON ({error})") from None


def case_of(row: Any, place: str) -> Case:
    """The case that a row describes."""
    return Case(*(text_of(fields_of(row, CASE_KEYS, CASE_KEYS, place)[key], f"{place}: {key}") for key in CASE_KEYS))


def fields_of(row: Any, known: Sequence[str], needed: Sequence[str], place: str) -> Mapping[str, Any]:
    """The row, which has the keys that it needs and no unknown one."""
    if not isinstance(row, dict):
        raise InputError(f"{place}: expected an object with {', '.join(needed)}")
    for key in row:
        if key not in known:
            meant = nearest(key, known)
            raise InputError(
                f"{place}: unknown key {key}; " + (f"did you mean {meant}?" if meant else ", ".join(known))
            )
    for key in needed:
        if key not in row:
            raise InputError(f"{place}: {key} is missing")
    return row


def text_of(value: Any, place: str) -> bytes:
    """The bytes of a text; a lone surrogate, which is none, is refused."""
    if not isinstance(value, str):
        raise InputError(f"{place}: expected text, not {type(value).__name__}")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{place}: {error.reason}") from None


def limits_of(given: Any) -> Limits:
    """The limits with what is given in their place, megabytes included."""
    if isinstance(given, Mapping):
        # Looked at before: a text times a million is a long text.
        given = {
            MEGABYTES.get(name, name): int(number(name, value) * MIB) if name in MEGABYTES else value
            for name, value in given.items()
        }
    return Limits.from_mapping(given)


def asked_for(
    file: Iterable[bytes], name: str, packs: Mapping[str, Language], backend: ModuleType | None = None
) -> Iterator[Asked]:
    """What each line asks for; one that cannot be run is an error of its own and stops nothing."""
    for count, line in enumerate(file, 1):
        if not line.strip():
            continue
        place, row = f"{name}:{count}", None
        try:
            row = parsed(line, place)
            job: Job | Exception = job_of(fields_of(row, JOB_KEYS, NEEDED, place), place, packs, backend)
        except Exception as error:  # noqa: BLE001  one line's defect, or ours in reading it, must not end the batch
            job = error
        called = row.get("id", place) if isinstance(row, dict) else place
        yield Asked(called, hashlib.sha256(line.strip()).hexdigest()[:16], job)


def why(error: BaseException) -> str:
    """What went wrong, for a line of the file of results."""
    text = str(error) if isinstance(error, TasklakeError) else f"internal error ({type(error).__name__}: {error})"
    return text[:MOST_TOLD]


def job_of(row: Mapping[str, Any], place: str, packs: Mapping[str, Language], backend: ModuleType | None = None) -> Job:
    """The job of a row, with everything that can be wrong looked at before anything runs."""
    tests = text_of(row.get("tests") or "", f"{place}: tests")
    given = row.get("cases") or []
    if not isinstance(given, list) or not (given or tests):
        raise InputError(f"{place}: cases: expected a list with at least one case, or a test program as tests")
    pack = language(str(row["language"]), packs)
    toolchain(pack.tested() if tests else pack, backend)
    name = str(row.get("checker", "lines"))
    checker(name)
    limits = Limits() if row.get("limits") is None else limits_of(row["limits"])
    cases = [case_of(each, f"{place}: case {number}") for number, each in enumerate(given)]
    return Job(text_of(row["program"], f"{place}: program"), pack, cases, limits, name, tests)


def told(result: Result) -> dict[str, Any]:
    """What a program showed, for a program to read."""
    steps = (result.build, *result.cases, *([result.tests] if result.tests else ()))
    failed = [step for step in steps if step.verdict is not Verdict.accepted]
    tail = next((step.stderr_tail for step in failed if step.stderr_tail), b"")
    return {
        "verdict": str(result.verdict),
        "cases": [step_told(step) for step in result.cases],
        **({"tests": step_told(result.tests)} if result.tests else {}),
        "compile": step_told(result.build),
        "isolation": result.isolation,
        "unenforced": list(result.unenforced),
        "language": result.language,
        "toolchain": result.toolchain,
        "stderr_tail": tail.decode("utf-8", "replace"),
    }


def step_told(step: Step) -> dict[str, Any]:
    """One case's measures, without what it wrote."""
    return {key: getattr(step, key) for key in STEP_KEYS}
