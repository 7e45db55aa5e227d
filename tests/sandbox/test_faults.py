"""What happens when the machine fails under the sandbox: no descriptor left, no room on a disk.

The caller is told, nothing is lost or doubled, and everything goes on once there is room again.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case

pytestmark = pytest.mark.sandbox

SUM = "print(sum(map(int, input().split())))\n"
CASE = Case(b"1 2\n", b"3\n")


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """This process can open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_caller_without_a_descriptor_left_is_told() -> None:
    """A pool that cannot start an agent says so instead of judging, and judges again once it can."""
    with Pool() as pool:
        # Imports and toolchains are looked up on the first run.
        assert pool.run(SUM, "python", [CASE]).verdict == "accepted"
        before = len(os.listdir("/proc/self/fd"))
        pool.idle.queue[0].close()
        with no_descriptor_left():
            starved = pool.run(SUM, "python", [CASE])
        assert starved.verdict == "internal_error"
        assert b"Too many open files" in starved.cases[0].stderr_tail
        assert pool.run(SUM, "python", [CASE]).verdict == "accepted"
        assert len(os.listdir("/proc/self/fd")) == before


def test_pool_cannot_be_made_without_descriptors() -> None:
    """Where nothing can be tried at all, the reason is a sentence and no verdict."""
    code = (
        "import os, resource\n"
        "from tasklake.sandbox_exec.pool import Pool\n"
        "import tasklake.sandbox_exec.channel as channel\n"
        "channel.agent_source()\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir('/proc/self/fd')), 4096))\n"
        "try:\n"
        "    Pool()\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Too many open files" in done.stdout, done.stdout + done.stderr
    assert done.stdout.startswith("IsolationError")
    assert "Traceback" not in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_stops_a_batch_which_goes_on_with_room(tmp_path: Path, small_disk: Path) -> None:
    """The command says which file has no room; with room, the same command adds the missing results, each once."""
    jobs, out = tmp_path / "jobs.jsonl", small_disk / "out.jsonl"
    case = {"input": "1 2\n", "output": "3\n"}
    wanted = [f"job-{number}" for number in range(12)]
    rows = [{"id": name, "program": SUM, "language": "python", "cases": [case]} for name in wanted]
    jobs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 4096))
    argv = [sys.executable, "-m", "tasklake.jobs", "verify", "--batch", str(jobs), "--out", str(out)]
    stopped = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert stopped.returncode == 3, stopped.stderr
    assert "No space left on device" in stopped.stderr
    assert str(out) in stopped.stderr
    filler.unlink()
    assert subprocess.run(argv, capture_output=True, text=True, check=False).returncode == 0
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(row["id"] for row in told) == sorted(wanted)
    assert {row["verdict"] for row in told} == {"accepted"}


def test_full_disk_under_a_box_is_ours_and_no_verdict(tmp_path: Path, small_disk: Path) -> None:
    """Where a box lies on a disk that is full, the program is not blamed; with room, it is judged."""
    if Path(sys.prefix).is_relative_to("/tmp") or Path(__file__).is_relative_to("/tmp"):
        pytest.skip("this checkout lies below /tmp, which the test replaces by a small disk")
    code = (
        "import os, sys\n"
        "from tasklake.sandbox_exec.pool import Pool\n"
        "from tasklake.sandbox_exec.verdict import Case\n"
        "case = Case(b'1 2\\n', b'3\\n')\n"
        f"program = {SUM!r} + '#' * 200_000\n"
        "with Pool(1, 'landlock') as pool:\n"
        "    print(pool.run(program, 'python', [case]).verdict)\n"
        "    with open('/tmp/filler', 'wb', buffering=0) as file:\n"
        "        try:\n"
        "            while file.write(b'x' * 65536): pass\n"
        "        except OSError: pass\n"
        "    full = pool.run(program + '#' * 300_000, 'python', [case])\n"
        "    print(full.verdict, full.cases[0].stderr_tail.decode())\n"
        "    os.unlink('/tmp/filler')\n"
        "    print(pool.run(program + '##', 'python', [case]).verdict)\n"
        "print(os.listdir('/tmp'))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    shell = 'mount --bind "$(dirname "$3")" /mnt && mount --bind "$1" /tmp && exec "$2" /mnt/script.py'
    argv = ["unshare", "-m", "sh", "-c", shell, "sh", str(small_disk), sys.executable, str(script)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/", timeout=120)
    if "IsolationError" in done.stderr or "unshare" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    first, full, last, left = done.stdout.strip().splitlines()
    assert (first, last, left) == ("accepted", "accepted", "[]")
    assert full.startswith("internal_error"), full
    assert "space" in full


def test_missing_toolchain_is_ours() -> None:
    """A language that is not installed is refused by name before anything runs."""
    from tasklake.sandbox_exec.languages import Language

    with Pool() as pool, pytest.raises(TasklakeError, match="no-such-interpreter"):
        pool.run("x", Language(id="none", filename="x", execute="no-such-interpreter x"), [CASE])
