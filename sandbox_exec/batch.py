"""Many programs from a file of jobs to a file of results, which is gone on with after whatever has stopped it."""

from __future__ import annotations

import errno
import fcntl
import itertools
import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklake.sandbox_exec.backends import wanted
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import Language
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Verdict
from tasklake.sandbox_exec.verifying import MISTAKES, Asked, InputError, asked_for, told, why

# What a line of results begins with, and what no line of jobs has.
START, JOB = b'{"id": ', b', "job": "'
FOREIGN = "is no line of results; name another file with --out"


class Results:
    """The file of results, nobody else's until it is closed; what it holds is known where it does for what is asked."""

    def __init__(self, out: Path, jobs: Path, isolation: str, run_all: bool) -> None:
        self.out, self.jobs, self.run_all = out, jobs, run_all
        self.levels = {module.NAME for module in wanted(isolation)}
        # How many lines tell a result, or that failure, of each job: a file of jobs may hold a line twice.
        self.known: Counter[tuple[str, str | None]] = Counter()

    def __enter__(self) -> Results:
        jobs = self.jobs.stat()
        if not stat.S_ISREG(jobs.st_mode):
            raise InputError(f"{self.jobs}: is no regular file, and jobs are read twice; save them to one first")
        # Unbuffered: what does not fit on a disk is told where it is written, and at no later time.
        self.file = self.out.open("ab+", buffering=0)
        try:
            self._claim(jobs)
            self._read()
        except BaseException:
            self.file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def has(self, asked: Asked, failure: str | None = None) -> bool:
        """True when a line tells that already; it answers for one job, and not for the next that is the same."""
        held = self.known[asked.digest, failure] > 0
        self.known[asked.digest, failure] -= held
        return held

    def add(self, asked: Asked, found: Mapping[str, Any]) -> None:
        """The result is in the file, whole, whatever happens afterwards to this process; a failure is told once."""
        failure = failure_of(found)
        if failure is not None and self.has(asked, failure):
            return
        line = json.dumps({"id": asked.name, "job": asked.digest, **found}, ensure_ascii=True).encode() + b"\n"
        try:
            written = self.file.write(line)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.file.name) from None
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.file.name)

    def _claim(self, jobs: os.stat_result) -> None:
        """Nobody else writes to the file, which is one, and not the file of jobs."""
        found = os.fstat(self.file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{self.out}: is no regular file; name another with --out")
        if os.path.samestat(found, jobs):
            raise InputError(f"{self.out}: is the file of jobs; name another with --out")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{self.out}: another batch is writing to it; wait for its end, or name another") from None
        except OSError:
            # Some network file systems know no locks.
            pass

    def _read(self) -> None:
        """What the lines tell is known; the last is taken away where a kill cut it off."""
        end = 0
        with open(self.file.fileno(), "rb", closefd=False) as lines:
            lines.seek(0)
            for number, line in enumerate(lines, 1):
                place = f"{self.out}:{number}"
                if line.endswith(b"\n"):
                    end += len(line)
                    self._note(line, place)
                # Behind other results it can be nothing else; alone, it must be seen to be one.
                elif not (START.startswith(line[: len(START)]) and (number > 1 or JOB in line)):
                    raise InputError(f"{place}: {FOREIGN}")
        if end < os.fstat(self.file.fileno()).st_size:
            self.file.truncate(end)
            os.fsync(self.file.fileno())

    def _note(self, line: bytes, place: str) -> None:
        try:
            row = json.loads(line)
            failure = failure_of(row)
            if failure is not None or self._suffices(row):
                self.known[row["job"], failure] += 1
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            raise InputError(f"{place}: {FOREIGN}") from None

    def _suffices(self, row: Mapping[str, Any]) -> bool:
        """True for a result at a level such as is asked for, of all cases where all are asked for."""
        steps = (*row["cases"], row.get("tests", row["compile"]))
        cut = any(each["verdict"] == Verdict.skipped for each in steps)
        # What was not built has nothing to run.
        built = row["compile"]["verdict"] == Verdict.accepted
        return row["isolation"] in self.levels and not (self.run_all and built and cut)


def failure_of(row: Mapping[str, Any]) -> str | None:
    """What kept a job from having a result, in a word or a sentence; None where it has one."""
    if "error" in row:
        return str(row["error"])
    return Verdict.internal_error if row["verdict"] == Verdict.internal_error else None


def verify_many(
    jobs: Path, results: Results, pool: Pool, packs: Mapping[str, Language],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, int]:  # fmt: skip
    """Every line of the file of jobs has a line in the file of results; those that have one already are not run."""
    counts = {"jobs": 0, "known": 0, "verified": 0, "errors": 0, "ours": 0}
    # Beside one another, as the pool counts them.
    waiting: dict[int, Asked] = {}
    number = itertools.count()

    def failed(asked: Asked, error: BaseException) -> None:
        counts["errors"] += 1
        counts["ours"] += not isinstance(error, MISTAKES)
        results.add(asked, {"error": why(error)})

    def unknown(file: Iterable[bytes]) -> Iterator[Job]:
        for asked in asked_for(file, str(jobs), packs, pool.backend):
            if results.has(asked):
                counts["known"] += 1
            elif isinstance(asked.job, Exception):
                failed(asked, asked.job)
            else:
                waiting[next(number)] = asked
                yield asked.job

    with jobs.open("rb") as file:
        counts["jobs"] = sum(1 for line in file if line.strip())
        file.seek(0)
        for ended, future in pool.ended(unknown(file), run_all=results.run_all):
            asked, error = waiting.pop(ended), future.exception()
            if error is not None:
                failed(asked, error)
            else:
                found = future.result()
                ours = found.verdict is Verdict.internal_error
                counts["errors" if ours else "verified"] += 1
                counts["ours"] += ours
                results.add(asked, told(found))
            progress(counts["known"] + counts["verified"] + counts["errors"], counts["jobs"])
    if counts["jobs"] != counts["known"] + counts["verified"] + counts["errors"]:
        raise InputError(f"{jobs}: was changed while it was read; run the same again for what is new in it")
    return counts
