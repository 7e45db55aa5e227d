"""What a person sees of results and progress: tables on a terminal, plain lines without one, JSON for programs.

Values come from corpora and from programs of strangers: none is read as markup, and no control character of theirs
reaches the terminal.
"""

from __future__ import annotations

import base64
import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]
Progress = Callable[[str, Mapping[str, Any]], None]

# Longer values would push the other columns off the screen; --json shows them whole.
SHOWN = 80
# A column narrower than this shows nothing a person can read; such rows are shown one value per line.
NARROWEST = 12
# Wide enough that nothing is cut or wrapped where a program or a file reads what was meant for a terminal.
UNWRAPPED = 4000
# Counts of a stage, in the order in which a row meets them.
COUNTS = ("in", "kept", "rejected", "new", "executed", "llm_calls", "cost_usd", "seconds")
PLANNED = ("in", "new", "known", "calls", "stored", "tokens", "money", "minutes", "runs")
# Amounts of money, which are told to the cent and below a dollar to the hundredth of a cent.
MONEY = ("cost_usd", "money")
# What a plan can only estimate, whatever it knows exactly.
ESTIMATED = ("tokens", "money", "minutes")


class _Console(Console):
    """A console that leaves a closed pipe to its caller; rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(stderr: bool = False) -> Console:
    """A console that never wraps where no terminal reads along."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(stderr=stderr, highlight=False, width=None if stream.isatty() else UNWRAPPED)


def as_json(value: Any) -> str:
    """JSON that every reader takes: no NaN, times in ISO 8601, bytes as text or base64, no bare control character."""
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)
    # A terminal obeys more of them than JSON itself escapes; others turn the direction of what is read.
    return text if text.isprintable() else re.sub(r"[^ -~]", _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def shown(value: Any, limit: int = SHOWN) -> str:
    """A value on one line, control characters spelled out, cut where it is long."""
    if value is None:
        return ""
    plain = _plain(value)
    text = (
        plain
        if isinstance(plain, str)
        else f"{plain:,}"
        if type(plain) is int
        else json.dumps(plain, ensure_ascii=False)
    )
    # Only a little more than is shown needs to be looked at: a value may be many megabytes long.
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def records(rows: Sequence[Row], columns: Sequence[str] = (), width: int = UNWRAPPED) -> Table:
    """Rows as a table; where they are too wide for the screen, one value per line."""
    names = list(columns or (rows[0] if rows else ()))
    if len(names) * NARROWEST > width:
        return _upright(rows, names)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        numbers = bool(rows) and all(isinstance(row.get(name), int | float) for row in rows)
        table.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(row.get(name))) for name in names))
    return table


def stages(rows: Sequence[Row]) -> Table:
    """The stages of a run with their counts."""
    table = _counted(COUNTS)
    for row in rows:
        table.add_row(str(row["stage"]), *(_count(row.get(name), name) for name in COUNTS))
    return table


def plan(rows: Sequence[Row]) -> Table:
    """The stages of a plan; what is only estimated is marked ~."""
    table = _counted(PLANNED)
    for row in rows:
        mark = "" if row.get("exact") else "~"
        marks = {name: "~" if name in ESTIMATED and row.get(name) else mark for name in PLANNED}
        table.add_row(str(row["stage"]), *(marks[name] + _count(row.get(name), name) for name in PLANNED))
    return table


def _counted(names: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("stage")
    for name in names:
        table.add_column(name, justify="right")
    return table


def _count(value: Any, name: str = "") -> str:
    if name in MONEY and isinstance(value, float):
        return f"{value:,.2f}" if value == 0 or value >= 1 else f"{value:.4f}"
    return f"{value:,.1f}" if isinstance(value, float) else shown(value or 0)


@contextmanager
def progress(first: str = "starting Spark") -> Iterator[Progress]:
    """Tells on stderr how a run goes on: a moving line on a terminal, one line per event without one."""
    if sys.stderr.isatty():
        with console(stderr=True).status(first) as status:
            yield lambda stage, facts: _told_moving(status, stage, facts)
    else:
        yield _told_plain


def _told_moving(status: Any, stage: str, facts: Mapping[str, Any]) -> None:
    status.update(Text(f"{stage}: {_told(facts)}"))
    if facts.get("ended"):
        status.console.print(Text(f"{stage:<12} {_summary(facts)}", style="green"))


def _told_plain(stage: str, facts: Mapping[str, Any]) -> None:
    said = _summary(facts) if facts.get("ended") else _told(facts)
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {stage}: {said}\n")
    sys.stderr.flush()


def _told(facts: Mapping[str, Any]) -> str:
    if "text" in facts:
        return shown(facts["text"], limit=UNWRAPPED)
    done = f"{facts.get('done', '')} done".strip()
    return f"{done}, {_calls(facts)}" if "in_flight" in facts else done


def _calls(facts: Mapping[str, Any]) -> str:
    """How calls to models go on."""
    parts = [f"{facts['in_flight']} in flight", f"{facts['per_minute']}/min"]
    parts += [f"{facts[name]} {word}" for name, word in (("pushed_back", "429s"), ("failed", "failed")) if facts[name]]
    ill = [f"last failure: {shown(facts['last'])}"] if facts.get("last") else []
    return ", ".join([*parts, f"${_count(facts['usd'], 'money')}", *ill])


def _summary(facts: Mapping[str, Any]) -> str:
    rare = ("llm_calls", "cost_usd")
    counts = [f"{_count(facts[n], n)} {n}" for n in COUNTS[:-1] if n in facts and (facts[n] or n not in rare)]
    return ", ".join(counts) + (f", {facts['seconds']:.1f} s" if "seconds" in facts else "")


def _upright(rows: Sequence[Row], names: Sequence[str]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for number, row in enumerate(rows, start=1):
        table.add_row(Text(f"row {number}", style="dim"), "")
        for name in names:
            table.add_row(Text(name), Text(shown(row.get(name), limit=4 * SHOWN)))
    return table


def _plain(value: Any) -> Any:
    """The value in the types that JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
