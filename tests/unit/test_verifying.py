"""What `tasklake verify` reads and writes: limits, jobs and results are as written, or refused with their place."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tasklake.jobs import cli
from tasklake.jobs.commands.verifying import OursError, _usage
from tasklake.jobs.config import UsageError
from tasklake.sandbox_exec import backends
from tasklake.sandbox_exec.artefacts import Built
from tasklake.sandbox_exec.batch import Results
from tasklake.sandbox_exec.caches import CacheError
from tasklake.sandbox_exec.channel import Kind
from tasklake.sandbox_exec.checkers import names
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import load_languages
from tasklake.sandbox_exec.languages.toolchains import ToolchainMissing
from tasklake.sandbox_exec.limits import MIB, MOST, LimitError, Limits
from tasklake.sandbox_exec.verdict import Verdict
from tasklake.sandbox_exec.verifying import JOB_KEYS, MEGABYTES, MOST_TOLD, Asked, InputError, asked_for, limits_of, why
from tasklake.sandbox_exec.work import tried

JOBS = b'{"id": "a", "program": "", "language": "python", "cases": [{"input": "", "output": ""}]}'
STEP = {"verdict": "accepted"}
RESULT = {"verdict": "accepted", "cases": [STEP], "compile": STEP, "isolation": "landlock"}


@pytest.mark.parametrize(
    "given",
    [
        {"cpu_s": None}, {"memory_bytes": None}, {"memory_mb": None}, {"memory_mb": "64"}, {"memory_mb": "6" * 10**6},
        {"memory_mb": True}, {"memory_mb": [1]}, {"cpu_s": True}, {"cpu_s": "2"}, {"cpu_s": 10**400}, {"cpu_s": 0},
        {"cpu_s": -(10**400)}, {"cpu_s": float("nan")}, {"cpu_s": float("inf")}, {"memory_mb": 10**400},
        {"memory_mb": float("nan")}, {"memory_mb": MOST}, {"cpu": 1}, {"stderr_bytes": 1}, "cpu_s=2", [1], 1, True,
        {"open_files": 31}, {"file_bytes": 65535},
    ],
)  # fmt: skip
def test_limits_that_are_none_are_refused_in_a_sentence(given: Any) -> None:
    """Whatever a file of jobs holds as limits is a LimitError, and none that quotes megabytes."""
    with pytest.raises(LimitError) as refused:
        limits_of(given)
    assert len(str(refused.value)) < 300


def test_limits_are_taken_as_written() -> None:
    """Megabytes are bytes, a wall time may be left to be derived, and no CPU time is too long for an agent."""
    assert limits_of({"memory_mb": 64, "wall_s": None}) == Limits(memory_bytes=64 * MIB)
    assert limits_of({"output_mb": 0.5}).output_bytes == MIB // 2
    for seconds in (1, 2_000_000, MOST):
        assert dict(Kind.of(backends.backends()[0], limits_of({"cpu_s": seconds})).inherited)["cpu_s"] >= seconds


def test_cache_that_cannot_be_filled_is_a_failure_of_ours() -> None:
    """A build that finds no folder for its cache is tried again and then told, not raised at the whole batch."""

    def build() -> Built:
        raise CacheError("/var/tmp/x is not a folder that only this user can write to")

    step = tried(build).step
    assert (step.verdict, b"only this user" in step.stderr_tail) == (Verdict.internal_error, True)


def test_lines_that_cannot_be_run_stop_nothing() -> None:
    """Each line is told with its own id, whatever JSON that is, or with its place; the good one is run."""
    bad: list[dict[str, Any]] = [
        {"limits": {"cpu_s": None}}, {"limits": {"memory_mb": "64"}}, {"limits": []}, {"checker": []}, {"id": {}},
        {"language": {"a": "x" * 10**6}}, {"cases": [1]}, {"tests": 1}, {"colour": 1}, {"language": "no"},
    ]  # fmt: skip
    rows = [json.loads(JOBS) | {"id": number, "language": "nope"} | each for number, each in enumerate(bad)]
    lines = [json.dumps(row).encode() + b"\n" for row in rows]
    found = list(asked_for([*lines, b"\n", b"{\n", b"[" * 100_000, b"1\n", b"\xff\n"], "jobs", load_languages()))
    assert [asked.name for asked in found[:10]] == [row["id"] for row in rows]
    assert [asked.name for asked in found[10:]] == [f"jobs:{number}" for number in (12, 13, 14, 15)]
    assert all(isinstance(asked.job, TasklakeError) for asked in found)
    assert all(len(why(asked.job)) <= MOST_TOLD for asked in found if not isinstance(asked.job, Job))
    assert why(ValueError("no")) == "internal error (ValueError: no)"


def results(folder: Path, held: bytes | list[Any], isolation: str = "any", *, run_all: bool = False) -> Results:
    """A file of results that holds such bytes or rows already, beside a file of jobs."""
    jobs, out = folder / "jobs.jsonl", folder / "out.jsonl"
    jobs.write_bytes(JOBS)
    data = held if isinstance(held, bytes) else b"".join(json.dumps(row).encode() + b"\n" for row in held)
    out.write_bytes(data)
    return Results(out, jobs, isolation, run_all)


def row(digest: str = "d", **more: Any) -> dict[str, Any]:
    return {"id": 7, "job": digest, **(more if "error" in more else RESULT | more)}


LINE = json.dumps(row()).encode() + b"\n"


@pytest.mark.parametrize(
    ("held", "number"),
    [
        (b"my thesis", 1), (b"my thesis\n", 1), (b"\n", 1), (b"\0" * 9, 1), (JOBS, 1), (JOBS + b"\n", 1), (b"{", 1),
        (LINE + b"my thesis", 2), (LINE + LINE + b'{"id": 7}\n', 3), (LINE + b"[]\n", 2), (LINE + b"{\n", 2),
        (LINE + b'{"id": 1, "job": [], "error": "x"}\n', 2), (b'{"id": 1, "job": "x", "verdict": "accepted"}\n', 1),
    ],
)  # fmt: skip
def test_what_is_no_file_of_results_is_left_alone(tmp_path: Path, held: bytes, number: int) -> None:
    """It is refused with the line, and every byte is there afterwards."""
    with pytest.raises(InputError, match=f"out.jsonl:{number}: is no line of results"), results(tmp_path, held):
        pass
    assert (tmp_path / "out.jsonl").read_bytes() == held


@pytest.mark.parametrize("whole", [0, 1, 2])
def test_line_that_was_cut_off_is_taken_away(tmp_path: Path, whole: int) -> None:
    """Whatever a kill left of the last line goes, and nothing else."""
    for end in range(LINE.index(b'"job": "') + 8 if not whole else 1, len(LINE)):
        with results(tmp_path, LINE * whole + LINE[:end]):
            assert (tmp_path / "out.jsonl").read_bytes() == LINE * whole


def test_file_of_jobs_is_never_written_to(tmp_path: Path) -> None:
    """The file of jobs as file of results is refused, under another name too, and so is what can be read once alone."""
    jobs, link, fifo = (tmp_path / name for name in ("jobs.jsonl", "link.jsonl", "fifo"))
    jobs.write_bytes(JOBS)
    link.symlink_to(jobs)
    os.mkfifo(fifo)
    for out in (jobs, link):
        with pytest.raises(InputError, match="is the file of jobs"), Results(out, jobs, "any", False):
            pass
    assert jobs.read_bytes() == JOBS
    for files in ((tmp_path / "new", fifo), (fifo, jobs), (Path("/dev/null"), jobs)):
        with pytest.raises(InputError, match="is no regular file"), Results(*files, "any", False):
            pass


def test_two_batches_never_write_to_one_file(tmp_path: Path) -> None:
    """The second is told so; when the first has ended, it may."""
    first = results(tmp_path, [row()])
    with first, pytest.raises(InputError, match="another batch is writing"):
        first.__class__(first.out, first.jobs, "any", False).__enter__()
    with first, first.out.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_same_job_twice_has_two_results(tmp_path: Path) -> None:
    """After a kill between two equal lines, the second is still to be run."""
    asked = Asked(7, "d", Job("", "python", ()))
    with results(tmp_path, [row()]) as held:
        assert [held.has(asked), held.has(asked)] == [True, False]
        held.add(asked, RESULT)
    with Results(held.out, held.jobs, "any", False) as held:
        assert [held.has(asked) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("failure", [{"error": "no language"}, RESULT | {"verdict": "internal_error"}])
def test_failure_is_tried_again_and_told_once(tmp_path: Path, failure: dict[str, Any]) -> None:
    """A resumed batch does not know it, and does not write it down again."""
    asked = Asked(7, "d", Job("", "python", ()))
    for _ in range(3):
        out = tmp_path / "out.jsonl"
        with results(tmp_path, out.read_bytes() if out.exists() else b"") as held:
            assert not held.has(asked)
            held.add(asked, failure)
    assert [json.loads(line)["id"] for line in out.read_bytes().splitlines()] == [7]


@pytest.mark.parametrize(
    ("isolation", "run_all", "told", "known"),
    [
        ("any", False, {}, True), ("standard", False, {}, True), ("landlock", True, {}, True),
        ("strict", False, {}, False), ("namespaces", False, {}, False),
        ("standard", False, {"isolation": "process"}, False), ("any", False, {"isolation": "process"}, True),
        ("any", False, {"cases": [STEP, {"verdict": "skipped"}]}, True),
        ("any", True, {"cases": [STEP, {"verdict": "skipped"}]}, False),
        ("any", True, {"tests": {"verdict": "skipped"}}, False),
        ("any", True, {"tests": {"verdict": "skipped"}, "compile": {"verdict": "compile_error"}}, True),
    ],
)  # fmt: skip
def test_result_is_known_where_it_holds_what_is_asked(
    tmp_path: Path, isolation: str, run_all: bool, told: dict[str, Any], known: bool
) -> None:
    """A weaker isolation, and cases that were left out where all are asked for, are verified again."""
    with results(tmp_path, [row(**told)], isolation, run_all=run_all) as held:
        assert held.has(Asked(7, "d", Job("", "python", ()))) is known


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.py"), 2),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a.py"), 2),
        (OSError(errno.ELOOP, "Too many levels of symbolic links", "a.py"), 2),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/usr/bin/something"), 3),
        (PermissionError(errno.EACCES, "Permission denied", "/var/tmp/x"), 3),
        (OSError(errno.ENOSPC, "No space left on device", "a.py"), 3),
        (OSError(errno.EMFILE, "Too many open files"), 3),
        (CacheError("x is not a folder that only this user can write to"), 3),
        (ToolchainMissing("language go: the command go is not installed"), 3),
        (LimitError("limit cpus is unknown"), 2),
        (InputError("a.jsonl:1: not JSON"), 2),
        (UsageError("--limits x"), 2),
    ],
)
def test_exit_code_tells_whose_fault_it_is(error: Exception, code: int) -> None:
    """Wrong words and paths are the caller's, the machine and its toolchains are ours, none of it the program's."""
    with pytest.raises((UsageError, OursError)) as told, _usage(Path("a.py"), None):
        raise error
    assert told.value.exit_code == code
    assert (error.strerror if isinstance(error, OSError) else str(error)) in str(told.value)


def test_the_help_of_verify_lists_every_word_that_it_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits, checkers, isolation levels and keys of a batch, each by its name, and every exit code."""
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.main(["verify", "--help"]) == 0
    page = capsys.readouterr().out
    named = [
        *asdict(Limits()),
        *MEGABYTES,
        *names(),
        *backends.REQUIRED,
        *(level.NAME for level in backends.backends()),
        *JOB_KEYS,
    ]
    assert not [name for name in named if not re.search(rf"\b{name}\b", page)]
    assert "0 accepted, 1 not accepted, 2 used wrongly, 3 our fault" in page
    assert "the last one counts" in page
