"""Programs and cases from files, and what running them showed as JSON: one program, or many that can be resumed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tasklake.sandbox_exec.checkers import checker
from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import Language, language, toolchain
from tasklake.sandbox_exec.limits import MIB, Limits
from tasklake.sandbox_exec.pool import Pool
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
    """A file of cases or jobs cannot be used; the message begins with the file and the line."""


@dataclass(frozen=True)
class Asked:
    """One line of a file of jobs: what to run, or why that cannot be done."""

    name: str
    digest: str
    job: Job | None
    error: str = ""


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


def limits_of(given: Mapping[str, Any]) -> Limits:
    """The limits with what is given in their place, megabytes included."""
    plain = {MEGABYTES.get(name, name): value * MIB if name in MEGABYTES else value for name, value in given.items()}
    return Limits.from_mapping(plain)


def asked_by(
    row: Any, line: bytes, place: str, packs: Mapping[str, Language], backend: ModuleType | None = None
) -> Asked:
    """What the row of a file of jobs asks for."""
    name = str(row.get("id", place)) if isinstance(row, dict) else place
    digest = hashlib.sha256(line.strip()).hexdigest()[:16]
    try:
        return Asked(name, digest, job_of(fields_of(row, JOB_KEYS, NEEDED, place), place, packs, backend))
    except TasklakeError as error:
        return Asked(name, digest, None, str(error))


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
    limits = limits_of(row.get("limits") or {})
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


def verify_many(
    jobs: Path, out: Path, pool: Pool, packs: Mapping[str, Language], *, run_all: bool,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, int]:  # fmt: skip
    """Every line of the file of jobs has a line in the file of results; those that have one already are not run."""
    known, told_before = finished(out)
    counts = {"jobs": sum(1 for line in jobs.open("rb") if line.strip()), "known": 0, "verified": 0, "errors": 0}
    waiting: dict[int, Asked] = {}

    def wanted() -> Iterator[Job]:
        for asked in asked_for(jobs, packs, pool.backend):
            if (asked.name, asked.digest) in known:
                counts["known"] += 1
            elif asked.job is None:
                counts["errors"] += 1
                if (asked.name, asked.digest, asked.error) not in told_before:
                    append(file, asked, {"error": asked.error})
            else:
                waiting[len(waiting)] = asked
                yield asked.job

    # Unbuffered: what does not fit on a disk is told where it is written, and at no later time.
    with out.open("ab", buffering=0) as file:
        for number, result in pool.each(wanted(), run_all=run_all):
            append(file, waiting[number], told(result))
            waiting[number] = Asked("", "", None)
            counts["errors" if result.verdict is Verdict.internal_error else "verified"] += 1
            progress(counts["known"] + counts["verified"] + counts["errors"], counts["jobs"])
    return counts


def asked_for(jobs: Path, packs: Mapping[str, Language], backend: ModuleType | None = None) -> Iterator[Asked]:
    """What each line asks for; one that is no JSON is an error of its own and stops nothing."""
    with jobs.open("rb") as file:
        for number, line in enumerate(file, 1):
            place = f"{jobs}:{number}"
            try:
                row = parsed(line, place) if line.strip() else None
            except InputError as error:
                yield Asked(place, hashlib.sha256(line.strip()).hexdigest()[:16], None, str(error))
                continue
            if line.strip():
                yield asked_by(row, line, place, packs, backend)


def append(file: Any, asked: Asked, found: Mapping[str, Any]) -> None:
    """The result is in the file, whole, whatever happens afterwards to this process."""
    line = json.dumps({"id": asked.name, "job": asked.digest, **found}, ensure_ascii=True).encode() + b"\n"
    try:
        written = file.write(line)
    except OSError as error:
        raise OSError(error.errno, error.strerror, file.name) from None
    if written < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.name)


def finished(out: Path) -> tuple[set[tuple[str, str]], set[tuple[str, str, str]]]:
    """The jobs that have a result, and what was told of others; a line that a kill cut off is taken away."""
    found: set[tuple[str, str]] = set()
    errors: set[tuple[str, str, str]] = set()
    if not out.exists():
        return found, errors
    end = 0
    with out.open("rb+") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            row = parsed(line, str(out))
            if not isinstance(row, dict) or "job" not in row:
                raise InputError(f"{out}: is no file of results; name another with --out")
            if "error" in row:
                errors.add((row["id"], row["job"], row["error"]))
            # A failure of ours is tried again.
            elif row["verdict"] != Verdict.internal_error:
                found.add((row["id"], row["job"]))
        file.truncate(end)
        os.fsync(file.fileno())
    return found, errors
