"""Verdicts do not depend on what else the machine does: ten thousand fresh runs beside busy neighbours."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.limits import MIB, Limits
from tasklake.sandbox_exec.pool import Pool, cores
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = [pytest.mark.stability, pytest.mark.sandbox, pytest.mark.timeout(5400)]

SEED = 20261121
RUNS = 10_000
# Short, so that many runs fit; the kernel's clock has a hundred ticks a second, and the limits stay far above one.
LIMITS = Limits(cpu_s=0.2, wall_s=8.0, memory_bytes=64 * MIB)
# One program each, told by its input what to do: built once, run fresh for each case.
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static void burn(double s) { volatile unsigned n = 0; while ((double)clock() / CLOCKS_PER_SEC < s) n++; }
static void use(size_t n) { volatile char *p = malloc(n); for (size_t i = 0; i < n; i += 4096) p[i] = 1; usleep(2000); }
int main(void) {
    char what[16]; double much;
    if (scanf("%15s %lf", what, &much) != 2) return 2;
    switch (what[0]) {
        case 'b': burn(much); break;
        case 's': usleep((unsigned)(much * 1e6)); break;
        case 'm': use(much); break;
        case 'c': abort();
        case 'w': puts("41"); return 0;
    }
    puts("42"); return 0;
}
"""
STREAM = r"""
#include <stdlib.h>
#include <string.h>
int main(void) {
    size_t n = 256 << 20;
    char *a = malloc(n), *b = malloc(n);
    for (;;) { memcpy(a, b, n); memcpy(b, a, n); }
}
"""


def kinds(chance: random.Random) -> list[tuple[int, bytes, Verdict]]:
    """Weights, inputs and right verdicts: four of ten lie near a limit."""
    cpu, memory = LIMITS.cpu_s, LIMITS.memory_bytes
    return [
        (12, b"burn %f" % (cpu * chance.uniform(0.6, 0.7)), Verdict.accepted),
        (8, b"burn %f" % (cpu * chance.uniform(1.5, 2.0)), Verdict.time_limit),
        (5, b"sleep %f" % (cpu * chance.uniform(1.5, 3.0)), Verdict.accepted),
        (8, b"memory %d" % (memory * 0.9 - MIB), Verdict.accepted),
        (7, b"memory %d" % (memory * 1.1), Verdict.memory_limit),
        (40, b"add 0", Verdict.accepted),
        (10, b"wrong 0", Verdict.wrong_answer),
        (10, b"crash 0", Verdict.runtime_error),
    ]


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[None]:
    """Twice as many busy loops as cores, and two that stream through memory."""
    (tmp_path / "stream.c").write_text(STREAM)
    subprocess.run(["gcc", "-O2", "-o", tmp_path / "stream", tmp_path / "stream.c"], check=True)
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * cores())]
    streams = [subprocess.Popen([tmp_path / "stream"]) for _ in range(2)]
    yield
    for each in (*loops, *streams):
        each.kill()
        each.wait()


@pytest.mark.parametrize("isolation", ["namespaces", "landlock"])
def test_no_verdict_flips_on_a_busy_machine(neighbours: None, isolation: str) -> None:
    """Every one of the runs has the verdict that it has on an idle machine."""
    chance = random.Random(SEED)
    asked = []
    for _ in range(RUNS // 2):
        choices = kinds(chance)
        asked.append(chance.choices(choices, [weight for weight, _, _ in choices])[0])
    jobs = (Job(PROGRAM, "c", [Case(given, b"42\n")], LIMITS) for _, given, _ in asked)
    flipped: Counter[str] = Counter()
    with Pool(cores(), isolation) as pool:
        for number, result in pool.each(jobs):
            _, given, right = asked[number]
            if result.verdict is not right:
                flipped[f"{given.decode()}: {result.verdict} {result.cases[0]}"] += 1
    assert not flipped
