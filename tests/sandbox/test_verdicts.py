"""Each verdict word is reached by a program that deserves it, and by none that does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tasklake.sandbox_exec.agent.tree import NEAR
from tasklake.sandbox_exec.languages import ToolchainMissing, language, toolchain
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import NEAR_LIMIT, Case, Result, Verdict

pytestmark = pytest.mark.sandbox

MIB = 1024 * 1024
# Small, so that a test which meets a limit does not take long; nothing is asserted about time itself.
SMALL = Limits(cpu_s=1.0, wall_s=2.0, memory_bytes=128 * MIB, output_bytes=MIB)
ECHO = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """One pool for the whole module: a box that leaked into the next would show."""
    with Pool() as made:
        yield made


def shown(pool: Pool, program: str, *, output: bytes = b"", limits: Limits = SMALL, name: str = "python") -> Result:
    try:
        toolchain(language(name))
    except ToolchainMissing as error:
        pytest.skip(str(error))
    return pool.run(program, name, [Case(b"", output)], limits)


def test_right_output_is_accepted(pool: Pool) -> None:
    """A program that writes what is expected is accepted, and its measures are there."""
    result = shown(pool, "print(42)", output=b"42\n")
    step = result.cases[0]
    assert (result.verdict, step.exit_code, step.signal, step.output_bytes) == (Verdict.accepted, 0, None, 3)
    assert step.cpu_s > 0
    assert step.wall_s > 0
    assert step.peak_memory_bytes > 0
    assert step.measured_by
    assert step.stdout_head == b"42\n"


def test_other_output_is_a_wrong_answer(pool: Pool) -> None:
    """A program that ends well with other output is wrong."""
    assert shown(pool, "print(41)", output=b"42\n").verdict is Verdict.wrong_answer


def test_exit_code_is_a_runtime_error(pool: Pool) -> None:
    """A program that ends with an exit code other than zero fails, whatever it wrote; its last words are kept."""
    result = shown(pool, "import sys; print(42); sys.exit('out of cheese')", output=b"42\n")
    step = result.cases[0]
    assert (result.verdict, step.exit_code, step.signal) == (Verdict.runtime_error, 1, None)
    assert b"out of cheese" in step.stderr_tail


@pytest.mark.parametrize("number", [6, 8, 9, 11, 13, 15])
def test_signal_is_a_runtime_error(pool: Pool, number: int) -> None:
    """A program that a signal ends fails, and the signal is the one that it met: SIGPIPE and SIGKILL included."""
    result = shown(pool, f"import os, signal; signal.signal(13, signal.SIG_DFL); os.kill(os.getpid(), {number})")
    assert (result.verdict, result.cases[0].signal) == (Verdict.runtime_error, number)


def test_abort_is_seen_as_such(pool: Pool) -> None:
    """abort() ends a C program with its own signal: the program is not the first process of its namespace."""
    result = shown(pool, "#include <stdlib.h>\nint main(void) { abort(); }", name="c")
    assert (result.verdict, result.cases[0].signal) == (Verdict.runtime_error, 6)


def test_broken_pipe_ends_a_pipeline_quietly(pool: Pool) -> None:
    """SIGPIPE has its default meaning: the writer in `yes | head -n 1` just ends."""
    assert shown(pool, "yes | head -n 1\n", output=b"y\n", name="shell").verdict is Verdict.accepted


def test_computing_for_ever_meets_the_time_limit(pool: Pool) -> None:
    """A loop without end uses up its CPU time."""
    result = shown(pool, "while True: pass")
    assert result.verdict is Verdict.time_limit
    assert result.cases[0].cpu_s > 0


def test_computing_in_children_meets_the_time_limit(pool: Pool) -> None:
    """The CPU time of all processes counts: two loops in children do not hide behind a parent that waits."""
    program = "import os\nfor _ in range(2):\n    if os.fork() == 0:\n        while True: pass\nos.wait()"
    assert shown(pool, program, limits=Limits(cpu_s=1.0, wall_s=60.0)).verdict is Verdict.time_limit


def test_sleeping_for_ever_meets_the_time_limit(pool: Pool) -> None:
    """A sleeper uses no CPU time and is ended all the same."""
    assert (
        shown(pool, "import time; time.sleep(600)", limits=Limits(cpu_s=0.5, wall_s=1.0)).verdict is Verdict.time_limit
    )


def test_filling_memory_meets_the_memory_limit(pool: Pool) -> None:
    """A program that fills more memory than it may is ended with its own word."""
    program = "held = []\nwhile True: held.append(bytearray(b'x') * (8 << 20))"
    assert shown(pool, program).verdict is Verdict.memory_limit


def test_filling_memory_in_children_meets_the_memory_limit(pool: Pool) -> None:
    """Memory counts over all processes: four children of 60 MiB are beyond a limit of 128."""
    program = (
        "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        held = bytearray(b'x') * (60 << 20)\n"
        "        time.sleep(1.5)\n        os._exit(0)\nfor _ in range(4): os.wait()"
    )
    assert shown(pool, program, limits=Limits(cpu_s=5.0, memory_bytes=128 * MIB)).verdict is Verdict.memory_limit


def test_reserved_memory_is_not_used_memory(pool: Pool) -> None:
    """Address space that is never touched costs nothing: runtimes such as the JVM reserve gigabytes."""
    program = "import mmap; held = mmap.mmap(-1, 8 << 30, flags=mmap.MAP_PRIVATE | 0x4000); print(1)"
    assert shown(pool, program, output=b"1\n").verdict is Verdict.accepted


def test_writing_for_ever_meets_the_output_limit(pool: Pool) -> None:
    """A program that never stops writing is ended with its own word."""
    assert shown(pool, "while True: print('x' * 100000)").verdict is Verdict.output_limit


def test_output_of_exactly_the_limit_is_allowed(pool: Pool) -> None:
    """The last allowed byte is allowed, the next is not."""
    text = b"x" * MIB
    assert shown(pool, f"print('x' * {MIB}, end='')", output=text).verdict is Verdict.accepted
    assert shown(pool, f"print('x' * {MIB + 1}, end='')", output=text).verdict is Verdict.output_limit


def test_much_on_stderr_is_no_failure(pool: Pool) -> None:
    """Only the end of standard error is kept, and a flood there neither blocks nor fails a program."""
    program = "import sys\nfor n in range(100000): print('noise', n, file=sys.stderr)\nprint(1)"
    result = shown(pool, program, output=b"1\n", limits=Limits())
    assert result.verdict is Verdict.accepted
    assert result.cases[0].stderr_tail.endswith(b"noise 99999\n")
    assert len(result.cases[0].stderr_tail) <= 4096


def test_program_that_cannot_be_compiled_has_a_compile_error(pool: Pool) -> None:
    """The compiler's words are kept, and no case runs."""
    result = shown(pool, "int main(void) { return missing; }", name="c")
    assert (result.verdict, result.build.verdict) == (Verdict.compile_error, Verdict.compile_error)
    assert b"missing" in result.build.stderr_tail
    assert not [step for step in result.cases if step.verdict is not Verdict.skipped]


def test_shared_memory_is_counted_once(pool: Pool) -> None:
    """Who fails beside forks that only read what it holds is far from its limit, however often that is mapped."""
    program = (
        "import os, sys, time\nheld = bytearray(os.urandom(1 << 20) * 120)\n"
        "for _ in range(2):\n    if os.fork() == 0:\n        time.sleep(0.3)\n        os._exit(sum(held[::4096]) < 0)\n"
        "os.wait(), os.wait()\nsys.exit(3)\n"
    )
    result = shown(pool, program, limits=replace(SMALL, memory_bytes=250 * MIB))
    assert (result.verdict, result.cases[0].exit_code) == (Verdict.runtime_error, 3)
    assert NEAR == NEAR_LIMIT


def test_memory_that_a_child_borrows_is_counted_once(pool: Pool) -> None:
    """A child has its parent's memory until it becomes another program: both show it, and it is there once."""
    program = (
        "import subprocess\nheld = bytearray(160 << 20)\n"
        "for _ in range(40):\n    subprocess.run(['true'])\nprint('done')"
    )
    for _ in range(3):
        result = shown(pool, program, output=b"done\n", limits=Limits(memory_bytes=180 * MIB))
        assert result.verdict is Verdict.accepted, result
        assert result.cases[0].peak_memory_bytes < 260 * MIB


def test_deep_recursion_is_honest(pool: Pool) -> None:
    """A million nested calls fit: the stack is as contests give it."""
    program = (
        "#include <stdio.h>\nlong deep(long n) { volatile char held[64]; held[0] = 1; "
        'return n ? deep(n - 1) + held[0] : 0; }\nint main(void) { printf("%ld\\n", deep(1000000)); }'
    )
    assert shown(pool, program, output=b"1000000\n", name="c", limits=Limits()).verdict is Verdict.accepted


def test_program_may_leave_its_input_unread(pool: Pool) -> None:
    """Much input that is never read neither blocks nor fails a program."""
    result = pool.run("print(1)", "python", [Case(b"x" * (4 * MIB), b"1\n")], SMALL)
    assert result.verdict is Verdict.accepted


def test_weightiest_verdict_is_the_results(pool: Pool) -> None:
    """Each case keeps its own word; the result has the weightiest of them."""
    program = "import sys; n = int(input()); sys.exit(3) if n == 2 else print(n)"
    cases = [Case(b"1\n", b"1\n"), Case(b"2\n", b"2\n"), Case(b"3\n", b"4\n")]
    result = pool.run(program, "python", cases, SMALL)
    assert [step.verdict for step in result.cases] == ["accepted", "runtime_error", "wrong_answer"]
    assert result.verdict is Verdict.runtime_error


def test_first_failure_can_be_the_last_run(pool: Pool) -> None:
    """Without run_all the cases behind a failure are skipped, one step per case all the same."""
    cases = [Case(b"", b"1\n"), Case(b"", b"2\n"), Case(b"", b"1\n")]
    result = pool.run("print(1)", "python", cases, SMALL, run_all=False)
    assert [step.verdict for step in result.cases] == ["accepted", "wrong_answer", "skipped"]
    assert result.verdict is Verdict.wrong_answer


def test_every_byte_goes_through(pool: Pool) -> None:
    """Input and output are bytes: all 256 of them arrive as they were, and stdin and stdout can be opened by name."""
    data = bytes(range(256)) * 5000
    assert pool.run(ECHO, "python", [Case(data, data)], Limits(), checker="exact").verdict is Verdict.accepted
    program = "cat /dev/stdin > /dev/stdout\n"
    assert pool.run(program, "shell", [Case(data, data)], Limits(), checker="exact").verdict is Verdict.accepted


def test_standard_input_can_be_opened_by_name(pool: Pool) -> None:
    """Reading a file called /dev/stdin is how many programs take all of their input at once."""
    program = "process.stdout.write(require('fs').readFileSync('/dev/stdin'))"
    shown(pool, program, name="javascript")
    result = pool.run(program, "javascript", [Case(b"1 2\n", b"1 2\n")], Limits())
    assert result.verdict is Verdict.accepted, result.cases


def test_large_output_is_exact(pool: Pool) -> None:
    """32 MB go in and out, byte for byte."""
    data = b"".join(b"%07d\n" % number for number in range(4_000_000))
    result = pool.run(ECHO, "python", [Case(data, data)], Limits(), checker="exact")
    assert (result.verdict, result.cases[0].output_bytes) == (Verdict.accepted, len(data))


def test_missing_tool_is_never_the_programs_fault(pool: Pool) -> None:
    """A language without its toolchain raises, and says which command is missing and what to install."""
    pack = replace(language("python"), id="lost", execute="no-such-tool main.py", version=("no-such-tool", "-v"))
    with pytest.raises(ToolchainMissing, match=r"no-such-tool.*python3"):
        pool.run("print(1)", pack, [Case(b"", b"1\n")], SMALL)


def test_shell_text_and_words_both_execute(pool: Pool) -> None:
    """A command with shell syntax runs in a shell, one without is executed as it is."""
    pack = replace(language("shell"), execute="cat < main.sh | tr a-z A-Z")
    assert pool.run("hello\n", pack, [Case(b"", b"HELLO\n")], SMALL).verdict is Verdict.accepted
    pack = replace(language("shell"), execute="cat main.sh")
    assert pool.run("hello\n", pack, [Case(b"", b"hello\n")], SMALL).verdict is Verdict.accepted
