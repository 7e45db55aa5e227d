"""What each isolation level is worth here: whether it works, what it holds and what not, and what a run in it costs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from tasklake.sandbox_exec.backends import REQUIRED, backends
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import SEARCH_PATH, Language
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import why_not
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


def attacked(level: str, told: Callable[[str], None], *names: str) -> dict[str, Any]:
    """How many attacks (all that it claims to hold) the level was tried with, and which of them showed something.

    succeeded: it did what the level claims to stop. misjudged: stopped, with another verdict than it deserves.
    harmed: an honest program beside it or after it was judged otherwise. untried: this machine lacks its language, or
    what stops it.
    """
    found: dict[str, list[str]] = {"succeeded": [], "misjudged": [], "harmed": [], "untried": []}
    tried, theme = 0, ""
    for row in _attacks(level, names):
        if theme != (theme := row["name"].partition("/")[0]):
            told(theme)
        tried += not row["lacking"]
        shown = {
            "untried": row["lacking"], "succeeded": row["succeeded"], "harmed": row["harmed"],
            "misjudged": not row["lacking"] and not row["succeeded"] and row["verdict"] != row["expected"],
        }  # fmt: skip
        for word, yes in shown.items():
            found[word] += [row["name"]] * bool(yes)
    return {"level": level, "attacks": tried, "held": tried - len(found["succeeded"]), **found}


def _attacks(level: str, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """A row for each attack as it is over. They run in a process of their own: some are aimed at their caller."""
    command = [sys.executable, "-P", "-m", "tasklake.sandbox_exec.adversarial", level, "held", *names]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        for line in process.stdout or ():
            yield json.loads(line)
        if process.wait():
            errors.seek(0)
            raise TasklakeError(f"the attacks on {level} ended early: {errors.read()[-500:].strip()}")


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
