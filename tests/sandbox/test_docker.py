"""The level docker: what a container is made with, what a program in it sees, and how many there are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tasklake.sandbox_exec.limits import MIB, Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case, Step, Verdict

pytestmark = [pytest.mark.sandbox, pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]

SMALL = Limits(cpu_s=2.0, wall_s=5.0)
SUM_C = '#include <stdio.h>\nint main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", a + b); }\n'
ANSWER = [Case(b"1 2\n", b"3\n")]
# A program whose output is held open by a socket that no process has: its box cannot be cleaned.
HAUNTING = """
import array, os, socket
one, other = socket.socketpair()
for each in (1, one.fileno(), other.fileno()):
    one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [each]))])
os.write(1, b"1\\n")
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1, "docker") as made:
        yield made


def containers() -> list[dict[str, Any]]:
    """What the engine knows of every container that it has."""
    from tasklake.sandbox_exec.containers import engine

    api = engine.client().api
    return [api.inspect_container(each["Id"]) for each in api.containers(all=True)]


def step(pool: Pool, program: str, *, language: str = "python", limits: Limits = SMALL) -> Step:
    """What the program shows on an empty input."""
    return pool.run(program, language, [Case(b"", b"")], limits).cases[0]


def said(pool: Pool, program: str, *, language: str = "python") -> str:
    found = step(pool, program, language=language)
    return (found.stdout_head + found.stderr_tail).decode()


def test_level_holds_everything_and_says_so(pool: Pool) -> None:
    """A result names the level, nothing that it cannot hold, and a counter of the kernel's behind the CPU time."""
    found = pool.run("print(3)", "python", ANSWER)
    assert (found.isolation, found.unenforced, found.verdict) == ("docker", (), Verdict.accepted)
    assert found.cases[0].measured_by == "processes and cgroup"


def test_programs_share_a_warm_container() -> None:
    """A slot has one container that builds and one that runs, however many programs there are; and none afterwards."""
    before = {each["Id"] for each in containers()}
    with Pool(1, "docker") as pool:
        for number in range(8):
            assert pool.run(f"{SUM_C}// {number}\n", "c", ANSWER * 3).verdict is Verdict.accepted
            if number == 0:
                first = {each["Id"] for each in containers()} - before
        assert {each["Id"] for each in containers()} - before == first
        assert len(first) == 2
    assert {each["Id"] for each in containers()} == before


def test_container_is_hardened(pool: Pool) -> None:
    """As the engine itself tells it: no network, no privilege, nothing to write to but memory, and every limit."""
    step(pool, "print(1)")
    for told in containers():
        host, config = told["HostConfig"], told["Config"]
        assert (host["NetworkMode"], host["ReadonlyRootfs"], host["IpcMode"]) == ("none", True, "private")
        assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], None, False)
        # Nothing about seccomp or AppArmor: the engine's own profiles stay.
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert 0 < host["Memory"] == host["MemorySwap"]
        assert 0 < host["PidsLimit"] <= SMALL.processes + 2
        assert all("size=" in options for place, options in host["Tmpfs"].items() if place != "/prog")
        assert (host["Init"], host["AutoRemove"], host["Devices"] or []) == (False, True, [])
        assert int(config["User"].partition(":")[0]) > 1000
        assert not any(mount["RW"] for mount in told["Mounts"])
        assert not [each for each in told["Mounts"] if "docker.sock" in each["Source"] or each["Source"] == "/"]
        assert config["Labels"]["tasklake"]
        assert f":{os.getpid()}:" in config["Labels"]["tasklake.owner"]


def test_network_has_no_way_out(pool: Pool) -> None:
    """The one interface is the loop of a network that nobody else is in."""
    assert said(pool, "print([line.split(':')[0].strip() for line in open('/proc/net/dev')][2:])") == "['lo']\n"


def test_machine_is_not_there(pool: Pool) -> None:
    """Of the machine's files, the system's toolchains alone are seen: no home, no /var, no engine, no other folder."""
    program = (
        "import os\nplaces = ['/root', '/home', '/var', '/run', '/mnt', '/srv', '/boot', '/data', '/.dockerenv',\n"
        f"    '/var/run/docker.sock', '/run/tasklake/agent', {os.path.dirname(__file__)!r}]\n"
        "def seen(p):\n    try: return os.listdir(p) if os.path.isdir(p) else open(p).read()\n"
        "    except OSError: return None\n"
        "print([p for p in places if seen(p)])"
    )
    assert said(pool, program) == "[]\n"


def test_nothing_can_be_written_but_scratch(pool: Pool) -> None:
    """The root, the system's folders, the program's own, devices, /proc and cgroups refuse; scratch folders take it."""
    program = (
        "import os\nplaces = ['/', '/usr', '/etc', '/opt', '/prog', '/prog/1', '/dev', '/dev/mqueue', '/run', '/box',\n"
        "    '/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/proc/sys/kernel', '.', '/tmp', '/work', '/dev/shm']\n"
        "def taken(p):\n    try: open(p + '/left', 'w').close()\n    except OSError: return False\n    return True\n"
        "print([p for p in places if taken(p)])"
    )
    assert said(pool, program) == "['.', '/tmp', '/work', '/dev/shm']\n"


def test_limits_of_the_group_cannot_be_changed(pool: Pool) -> None:
    """A program may read what its group may use, as runtimes do, and change none of it."""
    program = (
        "import glob\nfound = [p for p in glob.glob('/sys/fs/cgroup/**', recursive=True)\n"
        "    if p.endswith(('.max', 'limit_in_bytes', '.procs', 'tasks', '.freeze', '.kill'))]\n"
        "def taken(p):\n    try: open(p, 'w').write('1')\n    except OSError: return False\n    return True\n"
        "print(len(found) > 0, [p for p in found if taken(p)])"
    )
    assert said(pool, program) == "True []\n"


def test_first_process_is_closed(pool: Pool) -> None:
    """The agent, which is process 1, can neither be read nor signalled, and no other process is seen."""
    program = (
        "import os\nclosed = []\nfor name in ('environ', 'mem', 'maps', 'root', 'cwd', 'fd', 'exe'):\n"
        "    p = '/proc/1/' + name\n    try:\n"
        "        os.listdir(p) if name in ('root', 'cwd', 'fd') else open(p, 'rb').read(1)\n"
        "    except OSError: closed.append(name)\n"
        "for n in range(1, 65):\n    try: os.kill(1, n)\n    except OSError: pass\n"
        "print(len(closed), [p for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())])"
    )
    assert pool.run(program, "python", [Case(b"", b"7 []\n")] * 2, SMALL).verdict is Verdict.accepted


def test_processes_of_one_container_take_none_from_another() -> None:
    """While a fork bomb fills one container, a program in another starts as many as it may."""
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    many = "import threading, time\nt = [threading.Thread(target=time.sleep, args=(0.2,)) for _ in range(200)]\n" + (
        "[each.start() for each in t]; [each.join() for each in t]; print(3)"
    )
    with Pool(2, "docker") as pool:
        told = [pool.submit(job) for job in _jobs(bomb, many)]
        assert [each.result().verdict for each in told][1::2] == [Verdict.accepted] * 2


def _jobs(*programs: str) -> list[Any]:
    from tasklake.sandbox_exec.job import Job

    return [Job(program, "python", ANSWER, SMALL) for program in programs * 2]


def test_engines_own_bound_of_memory_is_a_memory_limit() -> None:
    """Where nobody looks, the engine's limit ends the program, the agent lives on, and the verdict is the same."""
    program = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "for _ in range(9):\n    if os.fork() == 0:\n        x = b'x' * (200 << 20); time.sleep(60)\n"
        "time.sleep(60)"
    )
    limits = Limits(cpu_s=5.0, wall_s=60.0, memory_bytes=256 * MIB)
    with Pool(1, "docker", off=("measures",)) as pool:
        found = step(pool, program, limits=limits)
        known = {each["Id"] for each in containers()}
        assert (found.verdict, found.killed) == (Verdict.memory_limit, "memory")
        assert pool.run("print(3)", "python", ANSWER, limits).verdict is Verdict.accepted
        assert {each["Id"] for each in containers()} == known


def test_container_that_cannot_be_cleaned_is_replaced() -> None:
    """After a program that leaves something in the kernel, the next one has a new container; the old one is gone."""
    before = {each["Id"] for each in containers()}
    with Pool(1, "docker") as pool:
        assert pool.run("print(3)", "python", ANSWER, SMALL).verdict is Verdict.accepted
        first = {each["Id"] for each in containers()} - before
        assert pool.run(HAUNTING, "python", [Case(b"", b"1\n")], SMALL).verdict is Verdict.accepted
        assert pool.run("print(3)", "python", ANSWER, SMALL).verdict is Verdict.accepted
        second = {each["Id"] for each in containers()} - before
    assert len(first) == len(second) == 1
    assert not first & second


def test_large_input_and_output_pass(pool: Pool) -> None:
    """Fifty megabytes go in and come out whole."""
    data = bytes(range(1, 256)) * (50 * MIB // 255)
    program = "import shutil, sys\nshutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    assert pool.run(program, "python", [Case(data, data)], checker="exact").verdict is Verdict.accepted


@pytest.mark.parametrize("isolation", ["any", "standard", "strict"])
def test_no_container_where_none_is_needed(isolation: str) -> None:
    """Where an earlier level works, no engine is asked and the package docker is not even imported."""
    code = (
        "import sys; from tasklake.sandbox_exec.pool import Pool\n"
        f"with Pool(isolation={isolation!r}) as pool:\n"
        "    sys.exit(3 if pool.backend.NAME == 'docker' else 'docker' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    if done.returncode == 3:
        pytest.skip("this machine allows no namespaces")
    assert done.returncode == 0
