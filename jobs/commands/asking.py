"""Commands about models: batch files out and in, what was spent, and a server to try things with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from tasklake.jobs import render
from tasklake.jobs.commands import Answer, Changes, RecipeName, Shared, Wait, known
from tasklake.udfs.llm.fake.faults import FAULTS

StageName = Annotated[str, typer.Option("--stage", metavar="STAGE", help="The stage whose requests are meant.")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the requests go; more than fit get -2, -3, …")]
Results = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Result files of batches, error files too.")]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="VARIABLE", help="Its key is stored nowhere, as OPENAI_API_KEY's; may be repeated."),
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="KIND:SHARE:TRIES",
        help=f"What goes wrong, such as rate:0.1:2; may be repeated. Kinds: {', '.join(FAULTS)}.",
    ),
]
Latency = Annotated[
    str, typer.Option("--latency", metavar="MEDIAN:P99", help="Seconds an answer takes, lognormal, such as 1:15.")
]
Log = Annotated[str, typer.Option("--log", metavar="FILE", help="A line for every answer goes here.")]
Answers = Annotated[
    Path | None, typer.Option("--answers", metavar="FILE", help="JSON Lines with contains and answer: what to say.")
]


def export(
    shared: Shared, recipe: RecipeName, stage: StageName, out: Out, changes: Changes = None, wait: Wait = False
) -> Answer:
    """Write the open requests of a stage in the input format of a provider's Batch API."""
    from tasklake.jobs.commands.working import _loaded
    from tasklake.jobs.llm import files, opening
    from tasklake.jobs.recipe import STAGES

    loaded, settings = _loaded(shared, recipe, changes)
    known("stage that asks a model", stage, files.ASKING)
    with render.progress() as progress, opening.run(loaded, settings, wait, progress) as run:
        asked = files.ASKING[stage](run)
        written = files.export(run, stage, asked, out)
        early = not written and asked.isEmpty()
    rows = [{"file": str(each.path), "requests": each.requests, "bytes": each.bytes} for each in written]
    if early:
        before = STAGES[STAGES.index(stage) - 1]
        return Answer(rows, [Text(f"nothing to ask yet: run tasklake run {recipe} --until {before} first")])
    if not rows:
        return Answer(rows, [Text(f"nothing to ask: every request of {stage} has an answer")])
    return Answer(rows, [render.records(rows), Text("\nbring the results back with tasklake llm import FILE")])


def take(shared: Shared, results: Results, keys: Keys = None, wait: Wait = False) -> Answer:
    """Store what a batch's result files hold; the next run goes on from there."""
    from tasklake.jobs.lake.uri import existing
    from tasklake.jobs.llm import files, opening
    from tasklake.udfs.llm import batch

    settings = shared.present()
    existing(settings.lake)
    # What cannot be read is told of before anything starts.
    for path in results:
        next(batch.lines(path), None)
    with render.progress() as progress, opening.lake(settings, "tasklake llm import", wait, progress) as lake:
        found = files.take(lake, results, keys or ())
    told = vars(found)
    lines = [Text(each) for each in found.told]
    if found.strange():
        lines.append(Text(f"no line answers a request of the lake {settings.lake}: were they asked from another?"))
    shown = render.records([{name: told[name] for name in told if name != "told"}])
    return Answer(told, [shown, *lines], ok=not found.strange())


def stats(shared: Shared) -> Answer:
    """Show for each stage and model what was asked, what it cost and how it went."""
    from tasklake.jobs.llm.stats import stats as counted

    rows = counted(shared.present().lake)
    return Answer(rows, [render.records(rows, (), render.console().width) if rows else Text("no model was asked")])


def serve_fake(
    shared: Shared, port: Port = 0, faults: Faults = None, latency: Latency = "0", answers: Answers = None,
    log: Log = "",
) -> Answer:  # fmt: skip
    """Serve answers without a model on loopback until Ctrl-C: for trying recipes, and with faults for tests."""
    from tasklake.jobs.llm.fake import serve

    return Answer(serve(_behaviour(faults, latency, answers, log), port, _listening), [])


def _behaviour(faults: Faults, latency: str, answers: Path | None, log: str) -> Any:
    from tasklake.udfs.llm.fake.answers import read_script
    from tasklake.udfs.llm.fake.faults import parse_faults, parse_latency
    from tasklake.udfs.llm.fake.server import Behaviour

    script = read_script(answers) if answers else ()
    median, p99 = parse_latency(latency)
    return Behaviour(faults=parse_faults(faults or ()), median_s=median, p99_s=p99, script=script, log=log)


def _listening(url: str) -> None:
    render.console(stderr=True).print(Text(f"listening on {url} (model: fake); Ctrl-C ends it"), soft_wrap=True)
