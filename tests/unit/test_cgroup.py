"""Both kinds of cgroups are read: the older in parts, the newer as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklake.sandbox_exec.agent.cgroup import Cgroup


def made(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_older_kind_is_read(tmp_path: Path) -> None:
    """Nanoseconds in a file of their own, and the killed among other words."""
    files = {
        "cpuacct/cpuacct.usage": "1500000000\n",
        "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        "told": "4:memory:/docker/1\n0::/docker/1\n",
    }
    folder = made(tmp_path, files)
    found = Cgroup(str(folder), str(folder / "told"))
    assert (found.cpu(), found.ended()) == (1.5, 2)
    (folder / "memory/memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 13\n")
    assert found.ended() == 13


NEWER = {
    "cgroup.controllers": "cpu memory pids\n",
    "cpu.stat": "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 3\noom_kill 1\noom_group_kill 0\n",
}


def test_newer_kind_is_read(tmp_path: Path) -> None:
    """Microseconds behind a word, and the killed apart from those that only met the limit."""
    folder = made(tmp_path, {**NEWER, "told": "0::/\n"})
    found = Cgroup(str(folder), str(folder / "told"))
    assert (found.cpu(), found.ended()) == (2.5, 1)


def test_machines_own_group_is_not_taken_for_ours(tmp_path: Path) -> None:
    """Without a namespace of its own a container sees the machine's groups, whose CPU time is everybody's."""
    folder = made(tmp_path, {**NEWER, "told": "0::/docker/1\n"})
    with pytest.raises(OSError, match="cgroup namespace"):
        Cgroup(str(folder), str(folder / "told"))


def test_unreadable_group_is_none(tmp_path: Path) -> None:
    """Where nothing is shown there is nothing to read."""
    folder = made(tmp_path, {"told": "0::/\n"})
    with pytest.raises(FileNotFoundError):
        Cgroup(str(folder), str(folder / "told"))
