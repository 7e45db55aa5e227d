"""What each isolation level is worth here: whether it works, what it cannot hold, and what a run in it costs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from tasklake.sandbox_exec.backends import REQUIRED, backends
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import SEARCH_PATH, Language
from tasklake.sandbox_exec.pool import Pool, why_not
from tasklake.sandbox_exec.verdict import Case, Verdict

# Rounds take turns with the reference, so that a neighbour's load meets both; each is long enough to be told apart.
ROUNDS, RUNS = 5, 60
ECHO = Language(id="echo", filename="main.sh", execute="sh main.sh")
WORD = b"hello\n"


def levels() -> Iterator[dict[str, Any]]:
    """One row per level, the strongest first: what it satisfies, whether it works here and why not."""
    for module in backends():
        reason = why_not(module)
        satisfied = next(word for word, least in reversed(REQUIRED.items()) if least <= module.STRENGTH)
        yield {
            "level": module.NAME,
            "satisfies": satisfied,
            "available": not reason,
            "unenforced": list(module.UNENFORCED),
            "holds": module.DOC,
            "why_not": reason,
        }


def speed(level: str) -> dict[str, Any]:
    """What a run of a small shell program in the level costs, against a bare posix_spawn of it in the same minute."""
    job = Job("cat\n", ECHO, [Case(WORD, WORD)] * RUNS)
    boxed, bare = [], []
    with Pool(1, level) as pool:
        right = pool.done(job).verdict is Verdict.accepted
        for _ in range(ROUNDS):
            began = time.perf_counter()
            pool.done(job)
            between = time.perf_counter()
            for _ in range(RUNS):
                spawned()
            boxed.append(between - began)
            bare.append(time.perf_counter() - between)
    ours, theirs = median(boxed) / RUNS * 1000, median(bare) / RUNS * 1000
    return {
        "level": level, "right": right, "run_ms": round(ours, 2), "bare_spawn_ms": round(theirs, 2),
        "ratio": round(ours / theirs, 2),
    }  # fmt: skip


def spawned() -> None:
    """The same program has run without any box: fed, read from and waited for."""
    shell = shutil.which("sh", path=SEARCH_PATH) or "/bin/sh"
    (given, feed), (read, said) = os.pipe(), os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, given, 0), (os.POSIX_SPAWN_DUP2, said, 1)]
    process = os.posix_spawn(shell, [shell, "-c", "cat\n"], {"PATH": SEARCH_PATH}, file_actions=actions)
    for end in (given, said):
        os.close(end)
    os.write(feed, WORD)
    os.close(feed)
    while os.read(read, 1 << 16):
        pass
    os.close(read)
    os.waitpid(process, 0)
