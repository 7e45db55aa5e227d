"""Many programs through Spark and its spool, in a process of its own: what it ran, stored and needed is told as JSON.

Words: the folder of a lake, how many programs, and `kill` where a Python worker is to be killed in the middle.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

from tasklake.jobs.config import load_settings
from tasklake.jobs.lake import Lake, LakeUri
from tasklake.jobs.lake.spool import Spool
from tasklake.jobs.session import session
from tasklake.sandbox_exec.languages import load_languages
from tasklake.sandbox_exec.limits import Limits
from tasklake.udfs.execute import EXECUTION, executing

CASES = "array<struct<input:string,output:string>>"
ROWS = f"execution_id string, language string, program string, checker string, cases {CASES}"
KEY = "execution_id"
PROGRAM = "local a, b = io.read('n', 'n')\nprint(a + b, {})\n"


def rows(count: int) -> list[tuple[str, str, str, str, list[tuple[str, str]]]]:
    """Distinct programs with one case each."""
    return [(f"{n:06}", "lua", PROGRAM.format(n), "tokens", [("1 2", f"3 {n}")]) for n in range(count)]


def kill_a_worker(folder: Path, killed: list[int]) -> None:
    """The Python worker that closed the first segments is gone, as if the system had no memory left."""
    while not list(folder.glob("seg-*")):
        time.sleep(0.02)
    for each in Path("/proc").iterdir():
        if each.name.isdigit() and b"tasklake-agent" not in (line := _line(each)) and b"pyspark.daemon" in line:
            parent = int((each / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if b"pyspark.daemon" in _line(Path("/proc") / str(parent)) and _below(parent, os.getpid()):
                killed.append(int(each.name))
                os.kill(killed[0], signal.SIGKILL)
                return


def _line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def _below(pid: int, top: int) -> bool:
    while pid > 1 and pid != top:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return pid == top


def main(place: str, count: int, kill: bool) -> None:
    uri = LakeUri.parse(place)
    settings = load_settings(None, lake=place).model_copy(update={"spark_master": "local[2,4]"})
    killed: list[int] = []
    with session(settings, uri) as spark:
        frame = spark.createDataFrame(rows(count), ROWS).repartition(4)
        # Warm workers: what is measured is the fan-out, not the start of Python.
        frame.limit(4).mapInArrow(lambda batches: batches, ROWS).collect()
        spool = Spool(spark, Lake(spark, uri), "execute", EXECUTION)
        opened = partial(executing, load_languages(), Limits(), "any", "info", True)
        if kill:
            threading.Thread(target=kill_a_worker, args=(Path(uri.path) / "_spool/execute", killed)).start()
        began = time.monotonic()
        spool.fill(frame, opened, KEY, lambda _: None)
        seconds = time.monotonic() - began
        stored = spool.read().groupBy(KEY, "verdict").count().collect()
    told = {
        "seconds": seconds,
        "killed": len(killed),
        "programs": len({row[KEY] for row in stored}),
        "accepted": sum(row["verdict"] == "accepted" for row in stored),
        "twice": sum(row["count"] - 1 for row in stored),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), "kill" in sys.argv[3:])
