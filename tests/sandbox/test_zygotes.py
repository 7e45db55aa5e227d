"""A fork of a runtime that has started shows what a start of it shows; where none can be had, programs are started."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tasklake.sandbox_exec import zygotes
from tasklake.sandbox_exec.backends import IsolationError
from tasklake.sandbox_exec.channel import Agent
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import Language, ToolchainMissing, language, load_languages, toolchain
from tasklake.sandbox_exec.limits import MIB, Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case, Result, Verdict
from tasklake.udfs.execute import oracle_runs

pytestmark = pytest.mark.sandbox

LIMITS = Limits(cpu_s=0.5, wall_s=3.0, memory_bytes=512 * MIB, output_bytes=MIB, processes=64)
FORKING = sorted(name for name, pack in load_languages().items() if pack.zygote)
# Where a start and a fork could differ: what is inherited, what is looked at, how it ends.
PROGRAMS = {
    "arguments": "import sys; print(sys.argv, __name__, __file__)",
    "where modules come from": "import sys; print(len(sys.path), sys.flags.isolated)",
    "its own text": "print(open(__file__).read())",
    "environment": "import os; print(sorted(os.environ.items()))",
    "environment of what it starts": "import os; os.system('env | sort')",
    "descriptors": "import os; print(sorted(os.listdir('/proc/self/fd')))",
    "parent": "import os; print(os.getppid(), os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid())",
    "signals": "import signal; print([signal.getsignal(each) for each in signal.valid_signals()])",
    "mask": "import signal; print(signal.pthread_sigmask(0, ()))",
    "status": "print([line for line in open('/proc/self/status') if line[:3] in ('Cap', 'NoN', 'Sec', 'Uid', 'Gid')])",
    "limits": "import resource as r; print([r.getrlimit(each) for each in range(16) if each != r.RLIMIT_NPROC])",
    "kinds of streams": "import os, stat; print([stat.S_IFMT(os.fstat(each).st_mode) for each in range(3)])",
    "buffers": "import sys\nfor s in (sys.stdin, sys.stdout): print(s.encoding, s.line_buffering, s.seekable())",
    "input by line": "import sys\nfor line in sys.stdin: print(line.upper(), end='')",
    "input anew": "print(open('/dev/stdin').read(), open(0).read())",
    "folders": "import os, tempfile; print(os.getcwd(), os.listdir('.'), os.listdir('/tmp'), tempfile.gettempdir())",
    "writes": "import os; open('/tmp/a', 'w').write('b'); open('c', 'w').write('d'); print(open('/tmp/a').read())",
    "exit code": "raise SystemExit(7)",
    "exception": "1 / 0",
    "wrong syntax": "print(",
    "leaves at once": "import os; print(1, flush=True); os._exit(3)",
    "aborts": "import os; os.abort()",
    "kills itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "is interrupted": "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
    "threads": "import threading; t = threading.Thread(target=print, args=(1,)); t.start(); t.join()",
    "children": "import os\nif os.fork() == 0: os._exit(5)\nprint(os.waitstatus_to_exitcode(os.wait()[1]))",
    "orphans": "import os, time\nif os.fork() == 0: time.sleep(60)\nprint('left')",
    "starts another": "import subprocess; print(subprocess.run(['echo', 'x'], capture_output=True).stdout)",
    "at its end": "import atexit; atexit.register(print, 'over')",
    "what is left in a buffer": "out = open(1, 'w')\ndef main(): out.write('42')\nmain()",
    "what is left in two": "import io, sys\nw = io.TextIOWrapper(sys.stdout.buffer)\ndef main(): w.write('42')\nmain()",
    "last words": "class A:\n    def __del__(self): print('over')\na = A()",
    "last words of a generator": "def g():\n    try: yield\n    finally: print('over')\na = g(); next(a)",
    "last words beside annotations": "class A:\n    def __del__(self): print('over')\nA.a: A = A()\nb: A = A()",
    "its own module": "import __main__ as m; print(sorted(vars(m)), m.__spec__, __annotations__, type(__loader__))",
    "annotations": "x: int = 1\nprint(__annotations__)",
    "module of a class": "import sys\nclass A: pass\nprint(A.__module__, sys.modules['__main__'].A is A, __builtins__)",
    "closes its output": "import os; os.close(1)",
    "no end": "while True: pass",
    "sleeps": "import time; time.sleep(60)",
    "memory": "x = bytearray(1500 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1",
    "output": "import sys\nwhile True: sys.stdout.write('x' * 65536)",
    "processes": "import os\nwhile True: os.fork()",
}
GIVEN = b"one\ntwo\n" * 3


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    if zygotes.why_not():
        pytest.skip(zygotes.why_not())
    try:
        made = Pool(isolation="namespaces")
    except IsolationError as error:
        pytest.skip(str(error))
    with made:
        yield made


def pack(name: str) -> Language:
    found = load_languages()[name]
    try:
        toolchain(found)
    except ToolchainMissing as error:
        pytest.skip(str(error))
    return found


def agent(pool: Pool) -> Agent:
    """The agent that ran the last program."""
    return next(reversed(pool.idle.queue[0].agents.values()))


def shown(result: Result) -> tuple[Any, ...]:
    """What must be the same."""
    step = result.cases[0]
    output = b"" if step.verdict in (Verdict.output_limit, Verdict.time_limit) else step.stdout_head
    return step.verdict, step.exit_code, step.signal, step.killed, output


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_fork_shows_what_a_start_shows(name: str, pool: Pool) -> None:
    """Verdict, exit code, signal and output are those of a program that was started."""
    forking = pack("python")
    forked = pool.run(PROGRAMS[name], forking, [Case(GIVEN, b"")], LIMITS)
    assert agent(pool).forks
    started = pool.run(PROGRAMS[name], replace(forking, zygote=""), [Case(GIVEN, b"")], LIMITS)
    assert not agent(pool).forks
    assert shown(forked) == shown(started)


@pytest.mark.parametrize("name", FORKING)
def test_every_zygote_is_had_here(name: str, pool: Pool) -> None:
    """The pack's runtime comes to its program alone in its process, and its programs are forks of it."""
    test = next(each for each in pack(name).self_test if each.name == "sum")
    assert pool.done(Job(test.program, pack(name), [test.case()])).verdict is Verdict.accepted
    assert agent(pool).forks, pool.idle.queue[0].without


def test_what_a_run_writes_to_is_its_own_before_it_begins(pool: Pool) -> None:
    """Pages that the runtime writes to in any run are copied while the run waits, and not by a fault for each."""
    program = (
        "import struct\nown = there = 0\n"
        "with open('/proc/self/maps') as maps, open('/proc/self/pagemap', 'rb') as pages:\n"
        "    for place, rights, *_ in map(str.split, maps):\n"
        "        if rights == 'rw-p':\n"
        "            first, last = (int(end, 16) >> 12 for end in place.split('-'))\n"
        "            pages.seek(first * 8)\n"
        "            for (page,) in struct.iter_unpack('Q', pages.read((last - first) * 8)):\n"
        "                there += page >> 63\n"
        "                own += page >> 63 & page >> 56 & 1\n"
        "print(own, there)"
    )
    result = pool.run(program, pack("python"), [Case(b"", b"")])
    assert agent(pool).forks
    own, there = map(int, result.cases[0].stdout_head.split())
    assert there / 2 < own <= there, (own, there)


def test_folders_of_the_runtime_are_there_in_every_run(pool: Pool) -> None:
    """What a runtime makes for itself when it starts is there for each program, and empty."""
    program = 'cat(file.exists(tempdir()), length(dir(tempdir())), "\\n"); writeLines("x", tempfile())'
    result = pool.run(program, pack("r"), [Case(b"", b"TRUE 0 \n")] * 3)
    assert result.verdict is Verdict.accepted, result
    assert agent(pool).forks


def test_nothing_of_a_run_is_seen_by_the_next(pool: Pool) -> None:
    """A daemon, a file and a changed runtime are gone: what is forked has never run a program."""
    spoils = (
        "import builtins, os, time\nbuiltins.print = None\nopen('/tmp/left', 'w').close()\n"
        "if os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n"
    )
    looks = "import os; print(os.listdir('/tmp'), [each for each in os.listdir('/proc') if each.isdigit()])"
    pool.run(spoils, pack("python"), [Case(b"", b"")])
    assert pool.run(looks, pack("python"), [Case(b"", b"[] ['1', '2']\n")]).verdict is Verdict.accepted


def test_a_killed_zygote_costs_no_verdict(pool: Pool) -> None:
    """Whoever ends it from outside changes nothing but the time: programs are started from then on."""
    program, case = "print(input())", Case(b"a\n", b"a\n")
    assert pool.run(program, pack("python"), [case]).verdict is Verdict.accepted
    for pid in zygote_processes(agent(pool)):
        os.kill(pid, signal.SIGKILL)
    result = pool.run(program, pack("python"), [case] * 3)
    assert result.verdict is Verdict.accepted
    assert not agent(pool).forks


def zygote_processes(of: Agent) -> list[int]:
    """The processes that wait below the agent, which runs no program now."""
    from tasklake.sandbox_exec.agent.tree import descendants

    found = []
    for pid in descendants(of.vessel.process.pid):
        with open(f"/proc/{pid}/maps") as file:
            if "zygote.so" in file.read():
                found.append(pid)
    return found


def test_without_a_compiler_programs_are_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a reason to tell, and the same verdict."""
    monkeypatch.setattr(zygotes, "COMPILERS", ("no-such-compiler",))
    zygotes._library.cache_clear()
    try:
        assert "no C compiler" in zygotes.why_not()
        with Pool(isolation="any") as pool:
            assert pool.run("print(1)", pack("python"), [Case(b"", b"1\n")]).verdict is Verdict.accepted
            assert not agent(pool).forks
    finally:
        monkeypatch.undo()
        zygotes._library.cache_clear()


def test_a_runtime_that_never_comes_to_its_program_is_started(pool: Pool) -> None:
    """A pack that promises what its runtime does not do costs a try, and nothing else."""
    wrong = replace(pack("shell"), execute="sh -c true main.sh", filename="main.sh", zygote="read")
    result = pool.run("exit 0", wrong, [Case(b"", b"")])
    assert result.verdict is Verdict.accepted
    assert "never came to its program" in next(reversed(pool.idle.queue[0].without.values()))


@pytest.mark.parametrize(("program", "verdict"), [("print(hash('a') / 7)", "wrong_answer"), ("print(3.5)", "accepted")])
def test_oracle_whose_output_is_drawn_by_lot_is_found_out(program: str, verdict: str) -> None:
    """The second run is a start of its own, for forks of one zygote have the same seed of hashes."""
    row = {"oracle_id": "o", "task_id": "t", "problem_id": "p", "made_by": "m", "checker": "tokens:abs=1e30"}
    with oracle_runs({"python": language("python")}, Limits(), "any", "error", 2) as judge:
        told = judge({**row, "cases": [{"input": "", "output": "0.5"}]}, "python", program)
    assert told["verdict"] == verdict
    assert told["executed"] == 2
