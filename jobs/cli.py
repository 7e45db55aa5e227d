"""The command `tasklake`: words in, an answer on stdout, progress and errors on stderr, an exit code.

0 done, 1 the work failed, 2 used wrongly, 3 our fault, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from tasklake.jobs import render
from tasklake.jobs.commands import Answer, Shared, asking, keeping, looking, offering, shared, verifying, working
from tasklake.sandbox_exec.errors import TasklakeError

DONE, FAILED, MISUSED, OUR_FAULT, STOPPED = 0, 1, 2, 3, 130
# What the shell reports for a program that writes into a pipe nobody reads any more.
PIPE_CLOSED = 141

# Help is shown in this order and under these headings.
PANELS: dict[str, tuple[Callable[..., Answer], ...]] = {
    "Run": (working.demo, working.run, working.plan, working.release),
    "Look": (looking.tables, looking.show, looking.sql, looking.runs, looking.rejects, looking.releases),
    "Keep": (keeping.export, keeping.migrate, keeping.optimize, keeping.vacuum),
    "Sandbox": (verifying.verify,),
    "This machine": (keeping.doctor,),
}

# Commands below `tasklake llm`, by the word that is typed.
MODELS: dict[str, Callable[..., Answer]] = {
    "export": asking.export,
    "import": asking.take,
    "stats": asking.stats,
    "serve-fake": asking.serve_fake,
}

# Commands below `tasklake languages`, which is a command itself.
LANGUAGES: dict[str, Callable[..., Answer]] = {"install": offering.install, "image": offering.image}

# Every wrong use of options and arguments; typer gives this root of theirs no name of its own.
WrongWords: type[Exception] = typer.BadParameter.__mro__[2]


def application() -> typer.Typer:
    """The command with all its subcommands."""
    # Typer's own error pages replace the process's traceback hook, which belongs to whoever embeds us.
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
    app.callback()(_root)
    for panel, functions in PANELS.items():
        for function in functions:
            app.command(function.__name__, rich_help_panel=panel)(shared(function))
    models = typer.Typer(help="Ask models in batch files, see what they cost, or serve answers without one.")
    for word, function in MODELS.items():
        models.command(word)(shared(function))
    app.add_typer(models, name="llm", rich_help_panel="Models")
    packs = typer.Typer(invoke_without_command=True, callback=shared(offering.languages))
    for word, function in LANGUAGES.items():
        packs.command(word)(shared(function))
    app.add_typer(packs, name="languages", rich_help_panel="This machine")
    return app


def main(words: Sequence[str] | None = None) -> int:
    """The exit code after the command has run and printed; nothing is raised, no hook is set."""
    given = list(sys.argv[1:] if words is None else words)
    try:
        return _answered(given)
    except BrokenPipeError:
        # The interpreter flushes stdout once more at its end and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (KeyboardInterrupt, typer.Abort):
        return _stopped()
    except Exception as error:
        if "--debug" in given:
            render.console(stderr=True).print_exception()
        return _told(error)


def invoke(words: Sequence[str]) -> Answer | None:
    """The answer of a command, for job runners: errors are raised, nothing is printed; None after --help."""
    found = _called(words)
    return found[1] if isinstance(found, tuple) else None


def _called(words: Sequence[str]) -> Any:
    command = typer.main.get_command(application())
    return command.main(list(words) or ["--help"], prog_name="tasklake", standalone_mode=False)


def _answered(words: list[str]) -> int:
    found = _called(words)
    if not isinstance(found, tuple):
        # --help and --version end with their own code; typer makes 130 of Ctrl-C.
        return _stopped() if found == STOPPED else int(found or DONE)
    common: Shared = found[0]
    answer: Answer = found[1]
    console = render.console()
    if common.as_json:
        sys.stdout.write(render.as_json(answer.data) + "\n")
    else:
        for each in answer.view:
            # A line to copy, such as a command to try next, stays one line.
            console.print(each, soft_wrap=isinstance(each, Text))
    sys.stdout.flush()
    return answer.code if answer.code is not None else DONE if answer.ok else FAILED


def _told(error: Exception) -> int:
    """The exit code for an error, after one or two sentences on stderr."""
    if isinstance(error, WrongWords):
        words = error.format_message() if hasattr(error, "format_message") else str(error)
        return _say(f"{words if words.endswith(('.', '?')) else words + '.'} See tasklake --help.", MISUSED)
    if isinstance(error, TasklakeError):
        return _say(str(error), getattr(error, "exit_code", FAILED))
    if isinstance(error, OSError):
        return _say(f"{error.filename or 'the system'}: {error.strerror or error}; mend that and run again", FAILED)
    if _is_sparks(error):
        return _say(f"Spark failed: {_cause(str(error))}; run again with --debug for the whole trace", FAILED)
    first = (str(error).splitlines() or [""])[0]
    return _say(f"internal error ({type(error).__name__}: {first}); run again with --debug and report it", OUR_FAULT)


def _is_sparks(error: Exception) -> bool:
    """True for an error of pyspark or its JVM, seen from its name: looking at a lake must load neither."""
    roots = ("pyspark.errors.exceptions.base.PySparkException", "py4j.protocol.Py4JError")
    return any(f"{each.__module__}.{each.__qualname__}" in roots for each in type(error).__mro__)


def _cause(text: str) -> str:
    """The line that names the cause: the end of a Python trace, else the innermost Java cause, else the first."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    traces = [number for number, line in enumerate(lines) if "Traceback (most recent call last)" in line]
    if traces:
        rest = lines[traces[-1] + 1 :]
        return next((line.strip() for line in rest if not line.startswith(" ")), lines[0])
    causes = [line.partition("Caused by: ")[2] for line in lines if line.startswith("Caused by: ")]
    # Py4J begins with the call that failed; what was thrown stands after the colon below.
    thrown = [line.removeprefix(": ") for line in lines if line.startswith(": ")]
    return (causes[-1:] or thrown or lines or ["no reason is given"])[0].strip()


def _say(text: str, code: int) -> int:
    from tasklake.jobs.config import redacted

    # Spark and its clients repeat the URL that they were given.
    text = redacted(text)
    lines = [render.shown(line, limit=render.UNWRAPPED) for line in text.splitlines()]
    render.console(stderr=True).print(Text("error: ", style="bold red").append("\n".join(lines), style="default"))
    return code


def _stopped() -> int:
    render.console(stderr=True).print("stopped; run again to go on")
    return STOPPED


def _version(wanted: bool) -> None:
    if wanted:
        from tasklake.jobs.config import installed_version

        sys.stdout.write(f"tasklake {installed_version()}\n")
        raise typer.Exit()


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Execution-verified code datasets for any programming language, in a data lake.

    Every command takes --dir, --json and --debug. Exit codes: 0 done, 1 the work failed, 2 used wrongly, 3 our fault.
    """
