"""Nothing outlives a pool: no process, no folder, whoever dies first; and pools do not disturb each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from watching import PATIENCE_S, processes_with, within_patience

from tasklake.sandbox_exec.agent.tree import children
from tasklake.sandbox_exec.backends import wanted
from tasklake.sandbox_exec.channel import Agent, AgentDied, Kind
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import why_not
from tasklake.sandbox_exec.turns import Turns
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = pytest.mark.sandbox

ANSWER = [Case(b"1 2\n", b"3\n")] * 3
SUM = "print(sum(map(int, input().split())))"


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    todo = [pid]
    while todo:
        for task in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            try:
                below = {int(each) for each in task.read_text().split()}
            except OSError:
                continue
            todo += below - found
            found |= below
    return found


def marked_sleeper(mark: str) -> str:
    return f"exec sh -c 'sleep 300; : {mark}'\n"


def test_closed_pool_leaves_nothing() -> None:
    """After close there is no process below us, no zombie, and no scratch folder."""
    before, folders = descendants(os.getpid()), set(os.listdir(tempfile.gettempdir()))
    with Pool(slots=2) as pool:
        assert pool.run(SUM, "python", ANSWER).verdict is Verdict.accepted
    assert descendants(os.getpid()) <= before
    assert {name for name in os.listdir(tempfile.gettempdir()) if "tasklake" in name} <= folders


def test_killed_caller_leaves_nothing() -> None:
    """A caller that is killed in the middle of a case takes the agent, the program and the scratch folder with it."""
    mark, folder = uuid.uuid4().hex, tempfile.mkdtemp()
    code = (
        "import sys; from tasklake.sandbox_exec.pool import run; from tasklake.sandbox_exec.verdict import Case; "
        "run(sys.stdin.read(), 'shell', [Case(b'', b'')])"
    )
    caller = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "TMPDIR": folder}, stdin=subprocess.PIPE)
    assert caller.stdin is not None
    with caller.stdin:
        caller.stdin.write(marked_sleeper(mark).encode())
    assert within_patience(lambda: processes_with(mark))
    below = descendants(caller.pid)
    caller.kill()
    caller.wait()
    assert within_patience(lambda: not processes_with(mark))
    assert within_patience(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    assert within_patience(lambda: not os.listdir(folder)), os.listdir(folder)
    os.rmdir(folder)


def test_killed_agent_is_replaced() -> None:
    """An agent that dies in the middle of a case changes no verdict: the case runs again in a new one."""
    before = descendants(os.getpid())
    with Pool() as pool, ThreadPoolExecutor(1) as thread:
        program = "import time; time.sleep(1); print(3)"
        told = thread.submit(pool.run, program, "python", ANSWER[:1], Limits())
        assert within_patience(lambda: len(descendants(os.getpid()) - before) >= 2)
        agents = [p for p in descendants(os.getpid()) - before if _parent(p) == os.getpid()]
        for pid in agents:
            os.kill(pid, signal.SIGKILL)
        assert told.result(PATIENCE_S).verdict is Verdict.accepted
        assert agents
    assert descendants(os.getpid()) <= before


class Deadly(Turns):
    """The first who runs alone finds that his agent has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.spared, self.times = children(os.getpid()), 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        with super().alone():
            self.times += 1
            for pid in set(children(os.getpid())) - {*self.spared} if self.times == 1 else ():
                os.kill(pid, signal.SIGKILL)
            yield


def test_time_limit_is_confirmed_though_an_agent_died() -> None:
    """A program that ended just beyond its limit is tried alone until that has told something."""
    program = "import time\nwhile time.process_time() < 1.1: pass\n"
    with Pool() as pool:
        pool.turns = deadly = Deadly()
        found = pool.run(program, "python", [Case(b"", b"")], Limits(cpu_s=0.5))
    assert (found.verdict, found.cases[0].killed, deadly.times) == (Verdict.time_limit, "", 2)


@pytest.mark.parametrize("level", ["namespaces", "landlock"])
def test_agent_that_hangs_leaves_nothing(level: str) -> None:
    """An agent that hears nothing any more is ended with all that it started, daemons in sessions of their own too."""
    backend, mark = wanted(level)[0], uuid.uuid4().hex
    if why_not(backend):
        pytest.skip(f"isolation {level} does not work here: {why_not(backend)}")
    agent = Agent(Kind.of(backend, Limits()))
    words = ["/bin/sh", "-c", f"setsid sh -c 'sleep 300; : {mark}' & wait"]
    with ThreadPoolExecutor(1) as thread:
        told = thread.submit(lambda: list(agent.run(words, {}, Limits(), [b""])))
        assert within_patience(lambda: len(processes_with(mark)) > 1)
        for pid in children(agent.vessel.process.pid):  # type: ignore[attr-defined]
            os.kill(pid, signal.SIGSTOP)
        agent.close()
        with pytest.raises(AgentDied):
            told.result(PATIENCE_S)
    assert within_patience(lambda: not processes_with(mark))


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_pool_can_be_used_by_a_thread_that_ends() -> None:
    """An agent lives as long as its pool, not as the thread that happened to start it."""
    with Pool() as pool:
        threads = [threading.Thread(target=pool.run, args=(SUM, "python", ANSWER)) for _ in range(2)]
        for thread in threads:
            thread.start()
            thread.join()
        assert pool.run(SUM, "python", ANSWER).verdict is Verdict.accepted


def test_slots_work_at_once() -> None:
    """Several threads share a pool; each program gets its own verdict."""
    with Pool(slots=2) as pool, ThreadPoolExecutor(4) as threads:
        told = [
            threads.submit(pool.run, f"print({n})", "python", [Case(b"", b"%d\n" % (n - n % 2))] * 2, Limits())
            for n in range(8)
        ]
        verdicts = [each.result(PATIENCE_S).verdict for each in told]
    assert verdicts == [Verdict.accepted, Verdict.wrong_answer] * 4


def test_pools_of_several_processes_do_not_disturb_each_other() -> None:
    """A fork bomb in one process's pool changes no verdict in another's."""
    code = (
        "import sys; from tasklake.sandbox_exec.pool import Pool; from tasklake.sandbox_exec.verdict import Case; "
        "from tasklake.sandbox_exec.limits import Limits\n"
        "with Pool() as pool:\n"
        "    found = [pool.run(sys.argv[1], 'python', [Case(b'1 2\\n', b'3\\n')], Limits(cpu_s=2)).verdict"
        " for _ in range(int(sys.argv[2]))]\n"
        "sys.stdout.write(' '.join(sorted(set(found))))"
    )
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    # Threads count as processes: an honest program that starts one must not pay for somebody else's bomb.
    threaded = f"import threading\nt = threading.Thread(target=lambda: exec({SUM!r}))\nt.start(); t.join()"
    bad = subprocess.Popen([sys.executable, "-c", code, bomb, "2"], stdout=subprocess.PIPE)
    good = subprocess.run([sys.executable, "-c", code, threaded, "10"], capture_output=True, text=True, check=False)
    bad.communicate(timeout=PATIENCE_S)
    assert good.stdout == "accepted", good.stderr


def test_signals_that_the_caller_ignores_end_a_program_as_usual() -> None:
    """Under nohup and in services callers ignore signals, which programs would inherit, and survive."""
    code = (
        "import signal\n"
        "for each in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):\n"
        "    signal.signal(each, signal.SIG_IGN)\n"
        "from tasklake.sandbox_exec.pool import Pool\n"
        "from tasklake.sandbox_exec.verdict import Case\n"
        "with Pool() as pool:\n"
        "    for each in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):\n"
        "        step = pool.run(f'kill -{int(each)} $$; echo alive', 'shell', [Case(b'', b'')]).cases[0]\n"
        "        print(step.verdict, step.signal)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["runtime_error 1", "runtime_error 15", "runtime_error 10"]
