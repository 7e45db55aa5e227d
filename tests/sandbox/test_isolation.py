"""What a program cannot do: reach the network, other cases, other processes, or files that are none of its business."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasklake.sandbox_exec.backends import IsolationError, backends
from tasklake.sandbox_exec.languages import language
from tasklake.sandbox_exec.limits import Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import backend_for, isolation_level
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = pytest.mark.sandbox

SMALL = Limits(cpu_s=2.0, wall_s=5.0)
# Builds of some languages run code of the program's: here the whole build is the program.
BUILT = replace(language("shell"), id="built", filename="build.sh", compile="sh build.sh", execute="sh run.sh")
ODD_BUILDS = {
    "closed file": "umask 777; echo 'echo 1' > run.sh",
    "closed folder": "echo 'echo 1' > run.sh; mkdir -m 0 closed; chmod 0 .",
    "deep folders": "for n in $(seq 1200); do mkdir d; cd d; done; echo 'echo 1' > run.sh",
    "many files": "mkdir m; cd m; seq 20000 | xargs touch",
    "another source": "rm build.sh; echo 'exit 3' > build.sh; echo 'echo 1' > run.sh",
    "folder for a source": "rm build.sh; mkdir build.sh; echo 1 > build.sh/run.sh",
    "fifo": "mkfifo run.sh",
    "link to a file of ours": "ln -s /etc/passwd run.sh",
    "no text for a name": "echo 'echo 1' > run.sh; : > \"$(printf '\\377\\n')\"",
}
# Sends its standard output over a socket which is sent over itself: no process has it, and yet it is open.
HIDDEN_OUTPUT = """
import array, os, socket
one, other = socket.socketpair()
for each in (1, 2, one.fileno(), other.fileno()):
    one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [each]))])
os.write(1, b"1\\n")
"""


@pytest.fixture(scope="module", params=["any", pytest.param("docker", marks=pytest.mark.docker)])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    with Pool(isolation=request.param) as made:
        yield made


@pytest.fixture(autouse=True)
def _needs_a_boundary() -> None:
    if isolation_level() == "process":
        pytest.skip("this machine allows no namespaces: the process level is not a boundary, and says so")


def said(pool: Pool, program: str, *, name: str = "python", limits: Limits = SMALL) -> str:
    """What the program writes."""
    step = pool.run(program, name, [Case(b"", b"")], limits).cases[0]
    return (step.stdout_head + step.stderr_tail).decode()


def test_level_is_recorded(pool: Pool) -> None:
    """Every result names its isolation level and what that level cannot hold."""
    result = pool.run("print(1)", "python", [Case(b"", b"1\n")], SMALL)
    level = pool.backend.NAME
    assert (result.isolation, result.unenforced) == (level, tuple(backend_for(level).UNENFORCED))


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_network_is_refused(pool: Pool, kind: str) -> None:
    """Neither TCP nor UDP leaves the box."""
    program = (
        f"import socket\ntry:\n    s = socket.socket(socket.AF_INET, socket.{kind})\n"
        "    s.connect(('192.0.2.1', 80)); s.send(b'x'); print('sent')\nexcept OSError: print('refused')"
    )
    assert said(pool, program) == "refused\n"


def test_files_of_a_case_are_gone_in_the_next(pool: Pool) -> None:
    """What a case writes, wherever it may write, the next case of the same program does not find."""
    program = (
        "import os\nplaces = ['here', '/tmp/there', '/dev/shm/shared', os.path.expanduser('~/home')]\n"
        "print([p for p in places if os.path.exists(p)])\n"
        "for p in places:\n    try: open(p, 'w').close()\n    except OSError: pass"
    )
    result = pool.run(program, "python", [Case(b"", b"[]\n")] * 3, SMALL)
    assert result.verdict is Verdict.accepted, result.cases


def test_changed_program_is_whole_again_in_the_next_case(pool: Pool) -> None:
    """A case that overwrites the program or what was built changes it for itself alone."""
    program = (
        "#include <stdio.h>\n#include <stdlib.h>\n"
        'int main(void) { puts("1"); fflush(stdout); return system("rm -f main main.c; echo > main"); }\n'
    )
    result = pool.run(program, "c", [Case(b"", b"1\n")] * 2, SMALL)
    assert result.verdict is Verdict.accepted, result.cases


def test_other_processes_are_invisible(pool: Pool) -> None:
    """A program sees the few processes of its own box, and can signal nobody else."""
    assert int(said(pool, "import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]))")) <= 4
    program = "import os\ntry: os.kill(1, 9); os.kill(-1, 0)\nexcept OSError: pass\nprint('alive')"
    assert pool.run(program, "python", [Case(b"", b"alive\n")] * 2, SMALL).verdict is Verdict.accepted


def test_program_has_no_capability(pool: Pool) -> None:
    """No capability is there, none can be gained, and the user is not root."""
    text = said(pool, "print(open('/proc/self/status').read())")
    fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert {
        name: int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    } == dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0)
    assert fields["NoNewPrivs"].strip() == "1"


def test_machine_is_read_only_and_private_files_are_hidden(pool: Pool) -> None:
    """System folders cannot be written to; homes, this repository and the machine's /tmp are not there."""
    hidden = [str(Path(__file__).resolve().parents[2]), "/root", "/home"]
    program = (
        "import os\ndef seen(p):\n    try: return os.listdir(p)\n    except OSError: return []\n"
        f"print([p for p in {hidden!r} if seen(p)])\n"
        "for p in ('/usr/x', '/etc/x', '/x', '/dev/x', '/proc/sys/kernel/hostname'):\n"
        "    try: open(p, 'w').write('x'); print('wrote', p)\n    except OSError: pass"
    )
    assert said(pool, program) == "[]\n"


def test_environment_holds_nothing_of_the_callers(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a short list of harmless variables is there, whatever the caller's environment holds."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with Pool(isolation=pool.backend.NAME) as fresh:
        names = set(said(fresh, "import os; print(' '.join(os.environ))").split())
    assert names <= {"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "PWD"}


def test_only_the_standard_streams_are_open(pool: Pool) -> None:
    """No descriptor of ours is there to be read or written."""
    assert said(pool, "ls /proc/self/fd | tr '\\n' ' '\n", name="shell").split()[:3] == ["0", "1", "2"]
    # The fourth is the folder that is being listed.
    assert len(said(pool, "ls /proc/self/fd | tr '\\n' ' '\n", name="shell").split()) == 4


def test_fork_bomb_is_contained(pool: Pool) -> None:
    """A program that forks without end meets its own limits; the same pool runs the next program as if nothing were."""
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    step = pool.run(bomb, "python", [Case(b"", b"")], SMALL).cases[0]
    assert step.verdict in (Verdict.time_limit, Verdict.memory_limit, Verdict.runtime_error)
    assert pool.run("print(1)", "python", [Case(b"", b"1\n")], SMALL).verdict is Verdict.accepted


def test_daemon_does_not_outlive_its_case(pool: Pool) -> None:
    """A grandchild in a session of its own is gone before the next case."""
    program = (
        "import os, time\nprint(sum(b'daemon' in open(f'/proc/{p}/cmdline', 'rb').read() for p in os.listdir('/proc')\n"
        "    if p.isdigit() and os.path.exists(f'/proc/{p}/cmdline')), flush=True)\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        os.execv('/bin/sh', ['daemon', '-c', 'sleep 600'])\n    os._exit(0)\nos.wait(); time.sleep(0.1)"
    )
    result = pool.run(program, "python", [Case(b"", b"0\n")] * 2, SMALL)
    assert result.verdict is Verdict.accepted, result.cases


def test_compiler_sees_no_case(pool: Pool) -> None:
    """The input of a case is nowhere while a program is built: the build's standard input is empty."""
    program = '#include "/dev/stdin"\nint main(void) { return 0; }\n'
    assert pool.run(program, "c", [Case(b"int secret;\n", b"")], SMALL).verdict is Verdict.accepted


@pytest.mark.parametrize("what", ODD_BUILDS)
def test_no_build_makes_us_fail(pool: Pool, what: str) -> None:
    """Whatever a build leaves, it is judged for it, and the next build in the same box is as if nothing were."""
    result = pool.run(ODD_BUILDS[what], BUILT, [Case(b"", b"1\n")], SMALL)
    assert result.verdict in (Verdict.accepted, Verdict.compile_limit, Verdict.runtime_error), result
    honest = f"echo 'echo 2' > run.sh # {what}"
    assert pool.run(honest, BUILT, [Case(b"", b"2\n")], SMALL).verdict is Verdict.accepted


# Far below what waiting for somebody else's socket took, and far above what anything else here does.
@pytest.mark.timeout(30)
@pytest.mark.parametrize("level", ["namespaces", "landlock", pytest.param("docker", marks=pytest.mark.docker)])
def test_output_that_the_kernel_holds_open_is_not_waited_for(level: str, request: pytest.FixtureRequest) -> None:
    """A program that leaves its own output open, where no process holds it, is answered as soon as it has ended."""
    if level == "docker":
        request.getfixturevalue("docker_engine")
    with pool_of(level) as made:
        result = made.run(HIDDEN_OUTPUT, "python", [Case(b"", b"1\n")] * 3, SMALL)
    assert result.verdict is Verdict.accepted, result.cases


def test_deep_folders_do_not_stay_on_the_disk() -> None:
    """Without a file system of its own, a box is taken away with whatever depth of folders a program left in it."""
    mark = uuid.uuid4().hex
    program = f"import os\nos.mkdir('{mark}')\nos.chdir('{mark}')\nfor _ in range(1100): os.mkdir('d'); os.chdir('d')"
    with pool_of("landlock") as made:
        assert made.run(program, "python", [Case(b"", b"")], SMALL).verdict is Verdict.accepted
    assert not list(Path(tempfile.gettempdir()).glob(f"tasklake-box-*/work/{mark}"))


def pool_of(level: str) -> Pool:
    try:
        return Pool(1, level)
    except IsolationError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("level", [level.NAME for level in backends() if level.NAME != "docker"])
def test_standard_streams_open_by_their_names(level: str) -> None:
    """What a program has on its standard streams it may also open as /dev/stdin and so on, whoever started it."""
    try:
        own = Pool(isolation=level)
    except IsolationError as error:
        pytest.skip(str(error))
    with own:
        found = own.run("cat /dev/stdin >/dev/stdout; echo two >/dev/stderr", "shell", [Case(b"one\n", b"one\n")])
    assert (found.verdict, found.cases[0].stderr_tail) == (Verdict.accepted, b"two\n")
