"""The command `tasklake`: answers on stdout, everything else on stderr, exit codes, and no JVM to look at a lake."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from tasklake.jobs import cli
from tasklake.jobs.commands import Answer, Shared
from tasklake.jobs.commands.working import _bring_corpus, _loaded, _with_corpus_at_hand
from tasklake.jobs.config import UsageError, load_settings
from tasklake.jobs.recipe import load_recipe
from tasklake.sandbox_exec.errors import TasklakeError

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# What a hostile program may have printed: a terminal escape, a line break, markup.
NASTY = "\x1b[31mred\x07\n[bold]x[/bold]"

OPTIONS = {
    "demo": ["--wait"],
    "run": ["--set", "--from", "--until", "--wait"],
    "plan": ["--set"],
    "release": ["--set", "--wait"],
    "tables": [],
    "show": ["--limit"],
    "sql": [],
    "runs": ["--limit"],
    "rejects": ["--stage", "--limit"],
    "releases": ["--limit"],
    "export": ["--format", "--out"],
    "migrate": [],
    "optimize": [],
    "vacuum": ["--retain-hours", "--keep-releases"],
    "verify": [
        "--language",
        "--cases",
        "--checker",
        "--limits",
        "--isolation",
        "--run-all",
        "--batch",
        "--out",
        "--slots",
    ],
    "languages": ["--quick"],
    "doctor": ["--quick"],
}


@pytest.fixture(autouse=True)
def _no_lake_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("TASKLAKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A small lake, written without Spark."""
    stage = {"stage": "ingest", "in": 3, "kept": 2, "rejected": 1, "new": 3, "executed": 0, "llm_calls": 0}
    stage |= {"cost_usd": 0.0, "seconds": 1.5}
    runs = {"run_id": "r1", "recipe": "demo", "recipe_hash": "h", "status": "done", "error": "", "stages": [stage]}
    put(tmp_path, "runs", [runs | {"started_at": WHEN, "seconds": 2.5}])
    reject = {"stage": "ingest", "source": "demo", "reason": "missing_column", "detail": NASTY, "location": "a:1"}
    reject |= {"excerpt": "{", "run_id": "r1", "made_at": WHEN}
    rows = [reject | {"subject": f"row {number}", "current": number > 0} for number in range(4)]
    put(
        tmp_path,
        "rejects",
        [*rows, reject | {"stage": "gate", "reason": "too_few", "subject": "row 9", "current": True}],
    )
    release = {"name": "demo", "version": 1, "digest": "abc", "tasks": 2, "samples": 3, "languages": ["lua"]}
    put(tmp_path, "releases", [release | {"path": "releases/demo/1", "made_at": WHEN}])
    return tmp_path / "lake"


def put(folder: Path, table: str, rows: list[dict[str, Any]]) -> None:
    write_deltalake(str(folder / "lake" / "tables" / table), pa.Table.from_pylist(rows))


def tasklake(*words: str, folder: Path, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, as a shell would start it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, *options, "-m", "tasklake.jobs", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


def test_every_command_is_listed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    listed = {function.__name__ for functions in cli.PANELS.values() for function in functions}
    assert listed | {"languages"} == set(OPTIONS)
    assert cli.main([]) == 0
    page = capsys.readouterr().out
    assert all(re.search(rf"\b{name}\b", page) for name in OPTIONS)


@pytest.mark.parametrize("command", sorted(OPTIONS))
def test_the_help_of_a_command_mentions_each_of_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, "--help"]) == 0
    page = capsys.readouterr().out
    for option in [*OPTIONS[command], "--dir", "--json", "--debug"]:
        assert option in page


@pytest.mark.parametrize(
    ("word", "options"),
    [("install", ["--tier", "--all", "--dry-run"]), ("image", ["--tier", "--all", "--out"])],
)
def test_commands_about_languages_tell_their_options(
    word: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["languages", word, "--help"]) == 0
    page = capsys.readouterr().out
    assert all(option in page for option in [*options, "--dir", "--json", "--debug"])


def test_installing_says_what_it_would_do_and_touches_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows by id, with what each pack would do; a pack that says it in words is refused, and no folder is made."""
    (tmp_path / "languages").mkdir()
    pack = "filename: main.zig\nexecute: zig main.zig\ninstall: {source: zig-sources, steps: [make]}\n"
    (tmp_path / "languages" / "zig.yaml").write_text(pack)
    (tmp_path / "languages" / "zag.yaml").write_text("filename: a.zag\nexecute: zag a.zag\ninstall: make zag\n")
    monkeypatch.setenv("TASKLAKE_PLUGINS", str(tmp_path))
    (row,) = asked(capsys, "languages", "install", "zig", "--dry-run")
    assert (row["id"], row["done"], row["does"]) == ("zig", "to install", ["build zig-sources in /opt/tasklake/zig"])
    assert not Path("/opt/tasklake/zig").exists()
    for words, done in ((["--dry-run"], "refused"), ([], "failed")):
        assert cli.main(["languages", "install", "zag", *words, "--json"]) == 1
        (row,) = json.loads(capsys.readouterr().out)
        assert (row["done"], "in words only: make zag" in row["reason"]) == (done, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["languages", "install"], 2, "--tier N or --all"),
        (["languages", "image", "lau"], 2, "did you mean lua?"),
        (["--version"], 0, ""),
        (["rnu"], 2, "No such command"),
        (["run"], 2, "RECIPE"),
        (["run", "demo", "--bogus"], 2, "--bogus"),
        (["run", "mbpp-rulez"], 2, "did you mean mbpp-rules"),
        (["run", "mbpp-rules"], 2, "--set source.path=FILE"),
        (["run", "demo", "--set", "grond.attempts=1"], 2, "did you mean ground?"),
        (["show", "verdict"], 2, "did you mean verdicts?"),
        (["rejects", "--stage", "grond"], 2, "did you mean ground?"),
        (["show", "tasks", "--limit", "0"], 2, "--limit"),
        (["tables", "--dir", "nowhere"], 2, "holds no lake yet"),
    ],
)
def test_exit_codes_tell_whose_turn_it_is(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = tasklake(*words, folder=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout or code == 0


def raising(error: BaseException) -> Any:
    def broken(shared: Shared) -> Answer:
        """Fails."""
        raise error

    return broken


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            ZeroDivisionError("division by zero"),
            3,
            "internal error (ZeroDivisionError: division by zero); run again with --debug",
        ),
        (TasklakeError("row 3 of tasks: no"), 1, "error: row 3 of tasks: no"),
        (UsageError("no recipe x"), 2, "error: no recipe x"),
        (PermissionError(13, "Permission denied", "/lake"), 1, "/lake: Permission denied"),
        (KeyboardInterrupt(), 130, "stopped; run again to go on"),
    ],
)
def test_an_error_is_a_sentence_and_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setitem(cli.PANELS, "Test", (raising(error),))
    hook = sys.excepthook
    assert cli.main(["broken"]) == code
    out, told = capsys.readouterr()
    assert (out, said in told, "Traceback" in told) == ("", True, False)
    assert sys.excepthook is hook


PYTHON_FAILED = (
    "Job aborted due to stage failure: Task 0 in stage 3.0 failed\n  An exception was thrown from the Python worker.\n"
    'Traceback (most recent call last):\n  File "w.py", line 3, in run\n    open(x)\nOSError: disk full\nmore\n'
)
JAVA_FAILED = (
    ": org.apache.spark.SparkException: Job aborted.\n\tat x.y\nCaused by: java.io.IOException: disk full\n\tat z\n"
)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("PySparkException", PYTHON_FAILED, "Spark failed: OSError: disk full; run again with --debug"),
        ("PySparkException", JAVA_FAILED, "Spark failed: java.io.IOException: disk full; run again with --debug"),
        ("PySparkException", "[X] no such thing\nmore", "Spark failed: [X] no such thing; run again with --debug"),
        ("PySparkException", "", "Spark failed: "),
    ],
)
def test_a_failure_of_spark_is_its_cause_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, text: str, said: str
) -> None:
    """A failed job is work that failed, told by the line that names the cause, without a trace."""
    errors = pytest.importorskip("pyspark.errors")
    monkeypatch.setitem(cli.PANELS, "Test", (raising(getattr(errors, name)(text)),))
    assert cli.main(["broken"]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1


def test_missing_java_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no Java is found, a command that needs Spark says what to install, JARs or not, and starts nothing."""
    pytest.importorskip("pyspark")
    (tmp_path / "rows.jsonl").write_text("{}\n")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    done = tasklake("plan", "mbpp-rules", "--set", "source.path=rows.jsonl", "--dir", "lake", folder=tmp_path)
    assert done.returncode == 1
    assert "install Java 17" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = tasklake("plan", "mbpp-rules", "--set", "source.path=rows.jsonl", "--dir", "lake", folder=tmp_path)
    assert "install Java 17" in done.stderr


def test_the_stack_trace_is_shown_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.PANELS, "Test", (raising(ZeroDivisionError("division by zero")),))
    assert cli.main(["broken", "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_job_runner_gets_answers_and_errors_as_values(lake: Path) -> None:
    answer = cli.invoke(["tables", "--dir", str(lake)])
    assert answer is not None
    assert {row["name"] for row in answer.data} == {"runs", "rejects", "releases", "language_scarcity"}
    with pytest.raises(UsageError):
        cli.invoke(["show", "nothing", "--dir", str(lake)])


@pytest.mark.parametrize("words", [["--help"], ["tables"], ["show", "runs"], ["runs"], ["rejects"], ["releases"]])
def test_looking_loads_no_spark_and_starts_no_other_process(words: list[str], lake: Path, tmp_path: Path) -> None:
    """Nor does it load pandas, which alone takes longer than the answer may."""
    at = [] if words == ["--help"] else ["--dir", str(lake)]
    program = (
        "import sys\nstarted = []\n"
        "sys.addaudithook(lambda event, _: started.append(event) if event in "
        "('subprocess.Popen', 'os.posix_spawn', 'os.fork', 'os.exec', 'os.system') else None)\n"
        f"from tasklake.jobs.cli import main\ncode = main({[*words, *at]!r})\n"
        "loaded = [name for name in ('pyspark', 'delta', 'py4j', 'pandas') if name in sys.modules]\n"
        "sys.exit(repr((code, started, loaded)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.stderr.strip() == "(0, [], [])"
    assert done.stdout


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What a program reads from the command's stdout."""
    assert cli.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_programs_read_json(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--dir", str(lake))
    assert {row["name"]: row["rows"] for row in asked(capsys, "tables", *at)} == {
        "runs": 1,
        "rejects": 5,
        "releases": 1,
        "language_scarcity": len(asked(capsys, "show", "language_scarcity", "--limit", "1000", *at)),
    }
    assert asked(capsys, "runs", *at)[0]["started_at"] == "2026-01-02T03:04:05+00:00"
    assert asked(capsys, "runs", *at)[0]["stages"][0]["rejected"] == 1
    assert asked(capsys, "releases", *at)[0]["digest"] == "abc"
    assert len(asked(capsys, "show", "rejects", "--limit", "2", *at)) == 2


def test_rejects_are_the_current_ones_of_the_stage_asked_for(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--dir", str(lake))
    assert len(asked(capsys, "rejects", *at)) == 4
    assert [row["subject"] for row in asked(capsys, "rejects", "--stage", "gate", *at)] == ["row 9"]
    assert asked(capsys, "rejects", "--stage", "judge", *at) == []
    assert cli.main(["rejects", "--limit", "1", *at]) == 0
    page = capsys.readouterr().out
    assert all(word in page for word in ("missing_column", "location", "a:1"))
    assert "3 more; see them with --limit 4" in page


def test_no_control_character_of_a_row_reaches_the_terminal(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rejects", "--dir", str(lake)]) == 0
    page = capsys.readouterr().out
    assert r"\x1b[31mred\x07\n[bold]x[/bold]" in page
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", page)


def test_the_demo_lake_is_looked_at_where_it_is_the_only_one(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake.rename(lake.parent / "tasklake-demo")
    assert len(asked(capsys, "tables")) == 4
    (lake.parent / "tasklake-lake").mkdir()
    assert cli.main(["tables"]) == 2


def test_the_environment_names_the_lake(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKLAKE_LAKE", str(lake))
    assert len(asked(capsys, "tables")) == 4


def test_a_broken_language_is_told_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both commands name the broken pack with its line; languages lists it as not offered beside those that work."""
    (tmp_path / "languages").mkdir()
    broken = tmp_path / "languages" / "zig.yaml"
    broken.write_text("filename: main.zig\nexekute: zig run main.zig\n")
    monkeypatch.setenv("TASKLAKE_PLUGINS", str(tmp_path))
    rows = {row["id"]: row for row in asked(capsys, "languages", "--quick")}
    assert rows["zig"]["offered"] is False
    assert rows["zig"]["reason"].startswith(f"{broken}:2: unknown key exekute; did you mean execute?")
    assert rows["shell"]["offered"] is True
    assert rows["shell"]["self_test"] == "not run"
    answer = cli.invoke(["doctor", "--quick"])
    assert answer is not None
    checks = {check["check"]: check for check in answer.data["checks"]}
    assert (checks["language zig"]["ok"], checks["language shell"]["ok"]) == (False, True)
    assert f"{broken}:2" in checks["language zig"]["advice"]


def test_a_reader_that_leaves_early_is_no_error(lake: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "tasklake.jobs", "tables", "--dir", str(lake)],
            stdout=nobody, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (cli.PIPE_CLOSED, "")


def test_the_demo_reads_copies_that_a_person_can_edit(tmp_path: Path) -> None:
    settings = load_settings(lake=str(tmp_path / "lake"))
    _bring_corpus(load_recipe("demo"), settings)
    recipe = _with_corpus_at_hand(load_recipe("demo"), settings)
    places = [*recipe.propose.path]
    for source in recipe.sources:
        places += [*source.path, *(source.solutions_path or ())]
    corpus = tmp_path / "lake" / "corpus"
    assert sorted(places) == sorted(str(path) for path in corpus.iterdir())
    edited = corpus / "mbpp.jsonl"
    edited.write_text("{}\n")
    _bring_corpus(load_recipe("demo"), settings)
    assert _with_corpus_at_hand(load_recipe("demo"), settings) == recipe
    assert edited.read_text() == "{}\n"


def test_run_plan_and_release_read_the_copies_that_the_demo_made(tmp_path: Path) -> None:
    """A lake with a corpus is read alike by every command; one without is not given any."""
    shared = Shared(str(tmp_path / "lake"), False, False)
    assert _loaded(shared, "demo", None)[0] == load_recipe("demo")
    assert not (tmp_path / "lake").exists()
    settings = load_settings(lake=str(tmp_path / "lake"))
    _bring_corpus(load_recipe("demo"), settings)
    recipe, found = _loaded(shared, "demo", ["ground.attempts=1"])
    assert found.lake == settings.lake
    assert recipe == _with_corpus_at_hand(load_recipe("demo", ["ground.attempts=1"]), settings)
    assert {Path(place).parent for place in recipe.propose.path} == {tmp_path / "lake" / "corpus"}


def test_the_demo_on_a_bucket_reads_the_corpus_of_the_package() -> None:
    recipe = load_recipe("demo")
    assert _with_corpus_at_hand(recipe, load_settings(lake="s3://bucket/lake")) == recipe
