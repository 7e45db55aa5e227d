"""Costs as ratios against a reference in the same run, written to build/bench.json; no figure here passes or fails.

What is measured are fresh runs: nothing is cached but what the name says. Reference and box take turns in short rounds,
and the median of the rounds' ratios is told, so that a neighbour's load meets both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest
from recording import record

from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import (
    PackError,
    ToolchainMissing,
    language,
    load_languages,
    resolved,
    toolchain,
)
from tasklake.sandbox_exec.pool import Pool, cores
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = [pytest.mark.bench, pytest.mark.sandbox, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 15
SUM_C = """#include <stdio.h>
int main(void) {
    long a, b;
    return scanf("%ld %ld", &a, &b) == 2 ? printf("%ld\\n", a + b) < 0 : 1;
}
"""
SUM_LUA = "local a, b = io.read('n', 'n')\nprint(a + b)\n"
SUM_FORTRAN = "program s\n integer :: a, b\n read *, a, b\n print '(i0)', a + b\nend program\n"
SUM = Case(b"1 2\n", b"3\n")
# Says what the box of the measured runs really was.
PROBE = """
import ctypes, os, resource, socket
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
left = sorted(os.listdir("/tmp") + [n for n in os.listdir("/dev/shm")] + [n for n in os.listdir(".") if n != "main.py"])
open("/tmp/left", "w").close(); open("/dev/shm/left", "w").close(); open("left", "w").close()
try:
    socket.socket(); network = "open"
except OSError:
    network = "closed"
ipc = ctypes.CDLL(None, use_errno=True).shmget(1, 4096, 0o1600)
others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())]
limits = [resource.getrlimit(n)[1] for n in (resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)]
caps = int(status["CapEff"], 16)
print(status["Seccomp"].strip(), status["NoNewPrivs"].strip(), caps, left, network, ipc, others, -1 in limits)
"""
CLEAN = b"2 1 0 [] closed -1 [] False\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """One slot, proven to be a whole box: limits, filter, clean files, ipc, processes and network."""
    with Pool(1, "strict") as made:
        # Started, and forked where that can be had.
        for pack in (replace(language("python"), zygote=""), language("python")):
            found = made.run(PROBE, pack, [Case(b"", CLEAN)] * 3)
            assert found.verdict is Verdict.accepted, [step.stdout_head for step in found.cases]
        yield made


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


def seconds(once: Callable[[], object]) -> float:
    began = time.perf_counter()
    once()
    return time.perf_counter() - began


def in_turns(*each: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """The seconds of each, taken in turns. A machine may be twice as fast a moment later: rounds tell ratios alone."""
    for once in each:
        once()
    taken = [[seconds(once) for once in each] for _ in range(rounds)]
    usual = median(first for first, *_ in taken)
    return [usual * median(row[place] / row[0] for row in taken) for place in range(len(each))]


def bare(argv: Sequence[str], given: bytes, times: int) -> bytes:
    """The command run so many times by posix_spawn and pipes, as cheaply as Python can."""
    wrote = b""
    for _ in range(times):
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        os.write(in_write, given)
        os.close(in_write)
        actions = [(os.POSIX_SPAWN_DUP2, in_read, 0), (os.POSIX_SPAWN_DUP2, out_write, 1)]
        pid = os.posix_spawn(argv[0], list(argv), {}, file_actions=actions)
        os.close(in_read)
        os.close(out_write)
        parts = []
        while data := os.read(out_read, 1 << 20):
            parts.append(data)
        os.close(out_read)
        assert os.waitpid(pid, 0)[1] == 0
        wrote = b"".join(parts)
    return wrote


def needs(*names: str) -> None:
    for name in names:
        try:
            toolchain(language(name))
        except (PackError, ToolchainMissing) as error:
            pytest.skip(str(error))


def accepted(pool: Pool, job: Job) -> None:
    assert pool.done(job).verdict is Verdict.accepted


def compiled(folder: Path, name: str, program: str) -> list[str]:
    """The program built outside of any box, by the pack's own command."""
    pack = language(name)
    (folder / pack.filename).write_text(program)
    argv = pack.command("compile")
    subprocess.run([resolved(argv[0])[0], *argv[1:]], cwd=folder, check=True, capture_output=True)
    return [str(folder / pack.command("execute")[0])]


def test_a_static_binary(pool: Pool, folder: Path) -> None:
    """A fully clean run of a static binary against bare posix_spawn: the artefact is cached, the run is fresh."""
    needs("c")
    (folder / "main.c").write_text(SUM_C)
    subprocess.run(["gcc", "-O2", "-static", "-o", folder / "main", folder / "main.c"], check=True)
    pack = replace(language("c"), compile="gcc -O2 -static -o main main.c")
    job = Job(SUM_C, pack, [SUM] * 100)
    boxed, plain = in_turns(lambda: accepted(pool, job), lambda: bare([str(folder / "main")], b"1 2\n", 100))
    record("a static binary in a box / bare posix_spawn", boxed / 100, plain / 100)


def test_lua_with_ten_cases(pool: Pool, folder: Path) -> None:
    """Tests per second of Lua a+b with ten cases, a program at a time, against a bare posix_spawn loop."""
    needs("lua")
    (folder / "main.lua").write_text(SUM_LUA)
    argv = [resolved(language("lua").command("execute")[0])[0], str(folder / "main.lua")]
    job = Job(SUM_LUA, "lua", [SUM] * 10)
    boxed, plain = in_turns(lambda: [accepted(pool, job) for _ in range(10)], lambda: bare(argv, b"1 2\n", 100))
    record("Lua a+b, 10 cases: tests per second in a box / bare posix_spawn", 100 / boxed, 100 / plain, "tests/s")


@pytest.mark.parametrize(("name", "program"), [("c", SUM_C), ("fortran", SUM_FORTRAN)], ids=["c", "fortran"])
def test_a_compiled_language_with_five_cases(pool: Pool, folder: Path, name: str, program: str) -> None:
    """Programs per second with five cases, compiled each time or with the artefact cached, against compile-once."""
    needs(name)
    numbers = iter(range(10**6))

    def once() -> None:
        argv = compiled(folder, name, program)
        bare(argv, b"1 2\n", 5)

    def fresh() -> None:
        comment = {"c": "//", "fortran": "!"}[name]
        accepted(pool, Job(f"{program}{comment} {time.time_ns()} {next(numbers)}\n", name, [SUM] * 5))

    cached = Job(program, name, [SUM] * 5)
    plain, cold, warm = in_turns(once, fresh, lambda: accepted(pool, cached))
    record(
        f"{name}, 5 cases, cold: programs per second in a box / bare compile-once", 1 / cold, 1 / plain, "programs/s"
    )
    record(f"{name}, 5 cases, artefact cached: programs/s / bare compile-once", 1 / warm, 1 / plain, "programs/s")


@pytest.mark.parametrize("name", sorted(name for name, pack in load_languages().items() if pack.zygote))
def test_a_zygote(pool: Pool, name: str) -> None:
    """Runs of a language by forks of its runtime against runs by starts of it, both in clean boxes."""
    needs(name)
    pack = language(name)
    test = next(each for each in pack.self_test if each.name == "sum")
    forked = Job(test.program, pack, [test.case()] * 5)
    started = replace(forked, language=replace(pack, zygote=""))
    fork, start = in_turns(lambda: accepted(pool, forked), lambda: accepted(pool, started))
    if not any(agent.forks for agent in pool.idle.queue[0].agents.values()):
        pytest.skip(f"no zygote: {pool.idle.queue[0].without}")
    record(f"{name}: runs per second by zygote / by start", 5 / fork, 5 / start, "runs/s")


def test_much_output(pool: Pool, folder: Path) -> None:
    """32 MB of output, exact, against reading the same through a pipe."""
    needs("c")
    program = (
        "#include <stdio.h>\n#include <string.h>\nint main(void) { static char line[65536]; memset(line, 'x', 65535);"
        " line[65535] = '\\n'; for (int i = 0; i < 512; i++) fwrite(line, 1, 65536, stdout); return 0; }\n"
    )
    argv = compiled(folder, "c", program)
    whole = bare(argv, b"", 1)
    assert len(whole) == 32 << 20
    job = Job(program, "c", [Case(b"", whole)], checker="exact")
    boxed, plain = in_turns(lambda: accepted(pool, job), lambda: bare(argv, b"", 1))
    record("32 MB of output through a box / through a pipe", boxed, plain)


def test_two_slots(folder: Path) -> None:
    """Programs per second of two slots against one."""
    needs("lua")
    if cores() < 2:
        pytest.skip("one core: two slots cannot be faster than one")
    jobs = [Job(f"{SUM_LUA}-- {number}\n", "lua", [SUM] * 20) for number in range(20)]
    with Pool(1) as one, Pool(2) as two:
        single, double = in_turns(lambda: list(one.each(jobs)), lambda: list(two.each(jobs)))
    record("two slots / one slot", len(jobs) / double, len(jobs) / single, "programs/s")


HARNESS = """
import json, subprocess, sys
for line in sys.stdin:
    asked = json.loads(line)
    open("main.lua", "w").write(asked["code"])
    word = "success"
    for case in asked["test_cases"]:
        done = subprocess.run(["lua", "main.lua"], input=case["input"], capture_output=True, text=True, timeout=10)
        if done.stdout.rstrip() != case["output"].rstrip():
            word = "fail"; break
    print(json.dumps({"result": word}), flush=True)
"""


def test_against_a_plain_harness(pool: Pool, folder: Path) -> None:
    """The way of the reference beside it: a harness that starts a process per case, told over pipes, no isolation."""
    needs("lua")
    asked = json.dumps({"code": SUM_LUA, "test_cases": [{"input": "1 2\n", "output": "3\n"}] * 10}) + "\n"
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert harness.stdin is not None
    assert harness.stdout is not None

    def theirs() -> None:
        for _ in range(10):
            harness.stdin.write(asked)  # type: ignore[union-attr]
            harness.stdin.flush()  # type: ignore[union-attr]
            assert json.loads(harness.stdout.readline())["result"] == "success"  # type: ignore[union-attr]

    job = Job(SUM_LUA, "lua", [SUM] * 10)
    ours, plain = in_turns(lambda: [accepted(pool, job) for _ in range(10)], theirs)
    harness.stdin.close()
    harness.wait()
    record("Lua a+b, 10 cases: tests per second in a box / plain harness", 100 / ours, 100 / plain, "tests/s")


def test_spark_fan_out(tmp_path: Path) -> None:
    """Twenty thousand programs through Spark and its spool, against the pool alone in the same process."""
    script = ROOT / "tests" / "spark" / "fan_out.py"
    count = int(os.environ.get("FAN_OUT", "20000"))
    words = [sys.executable, str(script), str(tmp_path / "lake"), str(count)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["accepted"], told["twice"]) == (count, 0)
    text = "local a, b = io.read('n', 'n')\nprint(a + b, {})\n"
    jobs = (Job(text.format(n), "lua", [Case(b"1 2", f"3 {n}".encode())], checker="tokens") for n in range(count))
    with Pool(cores()) as many:
        began = time.perf_counter()
        assert sum(result.verdict is Verdict.accepted for _, result in many.each(jobs)) == count
        alone = time.perf_counter() - began
    record("spark fan-out, programs per second", count / told["seconds"], count / alone, "programs/s")
