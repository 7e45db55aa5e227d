"""Which isolation levels work here, and what a command says in a box of one: known before any program runs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType

from tasklake.sandbox_exec.backends import IsolationError, wanted
from tasklake.sandbox_exec.channel import Agent, AgentDied, Kind
from tasklake.sandbox_exec.limits import BUILD, Limits

# Where commands are looked for first, here as inside a box: the toolchain that is named must be the one that runs.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def why_not(backend: ModuleType) -> str:
    """Why such a box cannot be made here, or nothing: a level may tell at once, the others are tried."""
    asked = getattr(backend, "why_not", None)
    told = str(asked()) if asked else ""
    if told:
        return told
    try:
        return _tried(backend)
    except (AgentDied, OSError) as error:
        return str(error)


# What fails is tried again when it is asked for again: engines come and go.
@cache
def _tried(backend: ModuleType) -> str:
    """Nothing, once a program that does nothing has ended well in such a box."""
    agent = Agent(Kind.of(backend, Limits()))
    try:
        told, _ = next(agent.run([shutil.which("true", path=SEARCH_PATH) or "/bin/true"], {}, Limits(), [b""]))
    finally:
        agent.close()
    if told["failed"] or told["status"] != 0:
        raise AgentDied(str(told["failed"]) or f"a program in it ended with {told['status']}")
    return ""


def backend_for(isolation: str) -> ModuleType:
    """The first backend that works here and satisfies what is asked for: a strength, or a level's name."""
    told = []
    for module in wanted(isolation):
        reason = why_not(module)
        if not reason:
            return module
        told.append(f"{module.NAME}: {reason}")
    raise IsolationError(f"isolation {isolation} is asked for, but no such level works here ({'; '.join(told)})")


def isolation_level() -> str:
    """The strongest level that works here."""
    return str(backend_for("any").NAME)


def said(
    backend: ModuleType,
    argv: Sequence[str],
    variables: Mapping[str, str],
    *,
    show: tuple[str, ...] = (),
    root: str = "",
) -> str:
    """The first line that the command writes, wherever it writes it; raises ValueError with what went wrong."""
    try:
        agent = Agent(Kind.of(backend, BUILD, show=show, root=root))
    except (AgentDied, OSError) as error:
        raise ValueError(str(error)) from None
    try:
        # Toolchains are asked with what a build may use: some start a runtime only to tell what they are.
        told, (output, error_output) = next(agent.run(argv, variables, BUILD, [b""]))
    except AgentDied as error:
        raise ValueError(str(error)) from None
    finally:
        agent.close()
    lines = (output.strip() or error_output.strip()).decode("utf-8", "replace").splitlines()
    if told["failed"]:
        raise ValueError(str(told["failed"]))
    if told["killed"] or told["status"] or not lines:
        ended = f"was ended for its use of {told['killed']}" if told["killed"] else f"ended with {code(told['status'])}"
        raise ValueError(f"{' '.join(argv)} {ended} and said {lines[0] if lines else 'nothing'}")
    return lines[0].strip()


def code(status: int) -> str:
    """How a process ended, in words."""
    return f"signal {status & 0x7F}" if status & 0x7F else str(status >> 8)
