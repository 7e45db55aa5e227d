"""`tasklake verify`: one program or a file of many, told by exit code and JSON, resumed after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tasklake.sandbox_exec.verdict import Verdict

pytestmark = pytest.mark.sandbox

SUM = "print(sum(map(int, input().split())))\n"
CASES = [{"input": "1 2\n", "output": "3\n"}, {"input": "5 6\n", "output": "11\n"}]
CASE_KEYS = {
    "verdict", "cpu_s", "wall_s", "peak_memory_bytes", "output_bytes", "exit_code", "signal", "measured_by",
}  # fmt: skip


def command(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tasklake.jobs", "verify", *map(str, words)]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return path


def verified(folder: Path, program: str, *words: str, cases: list[Any] = CASES) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON for a Python program."""
    (folder / "a.py").write_text(program, "utf-8")
    given = lines(folder / "cases.jsonl", cases)
    done = command(folder, "a.py", "--language", "python", "--cases", given, "--json", *words)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout or "{}")


def test_accepted_program_ends_with_0_and_tells_every_case(tmp_path: Path) -> None:
    """The JSON has the verdict, each case with its measures, the build, the level and the toolchain."""
    code, told = verified(tmp_path, SUM)
    assert (code, told["verdict"], len(told["cases"])) == (0, "accepted", 2)
    assert {"compile", "isolation", "unenforced", "language", "toolchain", "stderr_tail"} <= told.keys()
    assert all(case.keys() == CASE_KEYS and case["cpu_s"] > 0 for case in told["cases"])
    assert told["language"] == "python"


@pytest.mark.parametrize(
    ("program", "words", "verdicts"),
    [
        ("print(3)", [], ["accepted", "wrong_answer"]),
        ("print(1)", [], ["wrong_answer", "skipped"]),
        ("print(1)", ["--run-all"], ["wrong_answer", "wrong_answer"]),
        ("while True: pass", ["--limits", "cpu_s=0.2"], ["time_limit", "skipped"]),
        ("x = b'x' * 10**9", ["--limits", "memory_mb=64"], ["memory_limit", "skipped"]),
        ("print(3.0 if input() == '1 2' else 11)", ["--checker", "tokens:1e-6"], ["accepted", "accepted"]),
        ("print(3.0000001 if input() == '1 2' else 11)", ["--checker", "tokens:abs=1e-6"], ["accepted", "accepted"]),
    ],
)
def test_verdict_is_told_by_the_exit_code(
    tmp_path: Path, program: str, words: list[str], verdicts: list[str]
) -> None:  # fmt: skip
    """0 for accepted, 1 for anything else; behind the first failure cases are skipped unless all are asked for."""
    code, told = verified(tmp_path, program, *words)
    assert [case["verdict"] for case in told["cases"]] == verdicts
    assert code == (0 if told["verdict"] == "accepted" else 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--language", "pyton", "--cases", "cases.jsonl"], "did you mean python?"),
        (["--language", "python"], "verify needs FILE, --language ID and --cases"),
        (["--language", "python", "--cases", "none.jsonl"], "none.jsonl: No such file"),
        (["--language", "python", "--cases", "bad.jsonl"], "bad.jsonl:2: output is missing"),
        (["--language", "python", "--cases", "broken.jsonl"], "broken.jsonl:1: not JSON"),
        (["--language", "python", "--cases", "empty.jsonl"], "holds no case"),
        (["--language", "python", "--cases", "cases.jsonl", "--limits", "cpus=1"], "did you mean cpu_s?"),
        (["--language", "python", "--cases", "cases.jsonl", "--limits", "cpu_s=much"], "expected a name and a number"),
        (["--language", "python", "--cases", "cases.jsonl", "--checker", "token"], "did you mean tokens?"),
        (["--language", "python", "--cases", "cases.jsonl", "--isolation", "stict"], "did you mean strict?"),
        (["--language", "python", "--cases", "a.py/x"], "a.py/x: Not a directory"),
        (["--language", "python", "--cases", "cases.jsonl", "--limits", "cpu_s=1e300"], "expected a number above 0"),
        (["--language", "python", "--cases", "cases.jsonl", "--out", "out.jsonl"], "--out is for --batch alone"),
        (["--language", "python", "--cases", "cases.jsonl", "--slots", "2"], "--slots is for --batch alone"),
        (["--batch", "cases.jsonl"], "needs --out"),
        (["--batch", "cases.jsonl", "--out", "out.jsonl", "--checker", "exact"], "FILE, --checker is for one program"),
        (["--batch", "cases.jsonl", "--out", "out.jsonl", "--limits", "cpu_s=1"], "FILE, --limits is for one program"),
    ],
)
def test_wrong_use_is_refused_with_2(tmp_path: Path, words: list[str], said: str) -> None:
    """What was named wrongly is told in a sentence, with the nearest right name or the line."""
    (tmp_path / "a.py").write_text(SUM, "utf-8")
    lines(tmp_path / "cases.jsonl", CASES)
    lines(tmp_path / "bad.jsonl", [CASES[0], {"input": "1\n"}])
    lines(tmp_path / "broken.jsonl", ["{"])
    lines(tmp_path / "empty.jsonl", [])
    done = command(tmp_path, "a.py", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def jobs(count: int) -> list[Any]:
    """Every third one is wrong."""
    outputs = [str(n - (n % 3 == 0)) for n in range(count)]
    asked = [{"id": f"job-{n}", "program": f"print({n})", "language": "python"} for n in range(count)]
    return [{**job, "cases": [{"input": "", "output": output}]} for job, output in zip(asked, outputs, strict=True)]


def results(path: Path) -> dict[str, Any]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows), "no result twice"
    return {row["id"]: row for row in rows}


def test_batch_gives_every_line_a_result_and_loses_none(tmp_path: Path) -> None:
    """Each job has its verdict; a line that cannot be run is told with its place; a second run runs nothing."""
    rows = [*jobs(12), "{", {"id": "no", "program": "", "language": "klingon", "cases": CASES}]
    lines(tmp_path / "jobs.jsonl", rows)
    words = ("--batch", "jobs.jsonl", "--out", "out.jsonl", "--json")
    first = command(tmp_path, *words)
    assert first.returncode == 1, "two lines could not be run"
    found = results(tmp_path / "out.jsonl")
    assert len(found) == 14
    assert [found[f"job-{n}"]["verdict"] for n in range(12)] == (["wrong_answer", "accepted", "accepted"] * 4)
    assert "not JSON" in found["jobs.jsonl:13"]["error"]
    assert "no language is called klingon" in found["no"]["error"]
    again = json.loads(command(tmp_path, *words).stdout)
    assert (again["known"], again["verified"]) == (12, 0)
    assert results(tmp_path / "out.jsonl") == found


def test_killed_batch_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a kill at any moment, a line cut off included, the next run gives what an undisturbed one gives."""
    lines(tmp_path / "jobs.jsonl", jobs(60))
    argv = [
        sys.executable,
        "-m",
        "tasklake.jobs",
        "verify",
        "--batch",
        "jobs.jsonl",
        "--out",
        "out.jsonl",
        "--slots",
        "2",
    ]
    process = subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True)
    out = tmp_path / "out.jsonl"
    while process.poll() is None and not (out.exists() and out.stat().st_size):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with out.open("ab") as file:
        file.write(b'{"id": "job-59", "job": "cut o')
    done = command(tmp_path, "--batch", "jobs.jsonl", "--out", "out.jsonl")
    assert done.returncode == 0, done.stderr
    found = results(out)
    assert [found[f"job-{n}"]["verdict"] for n in range(60)] == [
        Verdict.wrong_answer if n % 3 == 0 else Verdict.accepted for n in range(60)
    ]


def batch(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the counts of a batch of jobs.jsonl."""
    done = command(folder, "--batch", "jobs.jsonl", "--out", "out.jsonl", "--json", *words)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout or "{}")


def test_bad_row_harms_none_of_its_neighbours(tmp_path: Path) -> None:
    """Limits that are none are told in their line, before they run or, scaled by a pack, as they are to."""
    limits = ({"cpu_s": None}, "cpu_s=2", {"cpu_s": 10**400}, {"memory_mb": "64"}, {"cpu_s": 2**50}, {"cpu_s": 2e6})
    rows = [job | {"id": n, "limits": each} for n, (job, each) in enumerate(zip(jobs(6), limits, strict=True))]
    lines(tmp_path / "jobs.jsonl", [*rows, *jobs(2)])
    code, counts = batch(tmp_path)
    assert (code, counts["verified"], counts["errors"], counts["ours"]) == (1, 3, 5, 0)
    found = results(tmp_path / "out.jsonl")
    assert set(found) == {*range(6), "job-0", "job-1"}, "ids are as they were given"
    assert all(found[n]["error"].startswith("limit") for n in range(5))
    assert (found[5]["verdict"], found["job-1"]["verdict"]) == ("accepted", "accepted")
    size = (tmp_path / "out.jsonl").stat().st_size
    assert batch(tmp_path)[1]["known"] == 3
    assert (tmp_path / "out.jsonl").stat().st_size == size, "what was told is not told again"


def test_missing_toolchain_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with 3, for one program as for many, whose others have their verdicts."""
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "absent.yaml").write_text("filename: a.x\nexecute: no-such-command a.x\n", "utf-8")
    monkeypatch.setenv("TASKLAKE_PLUGINS", str(tmp_path))
    (tmp_path / "a.x").write_text("", "utf-8")
    given = lines(tmp_path / "cases.jsonl", CASES)
    done = command(tmp_path, "a.x", "--language", "absent", "--cases", given)
    assert (done.returncode, "no-such-command is not installed" in done.stderr) == (3, True)
    lines(tmp_path / "jobs.jsonl", [{**jobs(1)[0], "id": "x", "language": "absent"}, *jobs(2)])
    code, counts = batch(tmp_path)
    assert (code, counts["verified"], counts["errors"], counts["ours"]) == (3, 2, 1, 1)
    assert "no-such-command" in results(tmp_path / "out.jsonl")["x"]["error"]


def test_more_is_asked_of_a_batch_that_was_verified(tmp_path: Path) -> None:
    """Results at a weaker level, and those that left out cases, are made again where more is asked, and only those."""
    wrong = {**jobs(1)[0], "cases": [{"input": "", "output": text} for text in "120"]}
    lines(tmp_path / "jobs.jsonl", [wrong, *jobs(3)[1:]])
    assert batch(tmp_path, "--isolation", "process")[1]["verified"] == 3
    assert batch(tmp_path, "--isolation", "process", "--run-all")[1]["verified"] == 1
    assert batch(tmp_path)[1]["known"] == 3
    if command(tmp_path, "--batch", "jobs.jsonl", "--out", "strict.jsonl", "--isolation", "standard").returncode:
        pytest.skip("no other level than process works here")
    assert batch(tmp_path, "--isolation", "standard")[1]["verified"] == 3
    assert batch(tmp_path, "--isolation", "standard")[1]["known"] == 3


def test_changed_job_is_verified_again(tmp_path: Path) -> None:
    """A result stands for the line that it was made from: the same id with another program runs."""
    lines(tmp_path / "jobs.jsonl", jobs(2))
    assert command(tmp_path, "--batch", "jobs.jsonl", "--out", "out.jsonl").returncode == 0
    lines(tmp_path / "jobs.jsonl", [jobs(2)[0], {**jobs(2)[1], "program": "print(7)"}])
    told = json.loads(command(tmp_path, "--batch", "jobs.jsonl", "--out", "out.jsonl", "--json").stdout)
    assert (told["known"], told["verified"]) == (1, 1)
