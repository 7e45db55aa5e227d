"""A toolchain that is built from a folder of sources: in a box without network, by the pack's own steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tasklake.sandbox_exec.channel import Agent, AgentDied, File, Kind
from tasklake.sandbox_exec.installing.places import source_of
from tasklake.sandbox_exec.installing.tools import InstallError
from tasklake.sandbox_exec.languages import Install
from tasklake.sandbox_exec.limits import BUILD, Limits
from tasklake.sandbox_exec.probing import backend_for, code

# Where the steps put what they have built: it is collected, as what compilers make is.
PREFIX = "tasklake-prefix"
# The sources are shown read-only, and most builds write beside them.
FIRST = f"""set -e
export PREFIX="$PWD/{PREFIX}" SOURCE="$TMPDIR/source"
mkdir "$PREFIX"
cp -RL . "$SOURCE"
cd "$SOURCE"
"""


def built(install: Install, folder: Path, beside: Path | None) -> None:
    """The folder holds what the steps have put into PREFIX; the source lies beside the pack."""
    source = source_of(install, beside)
    if source is None:
        raise InstallError(f"source {install.source}: the pack has to lie in a folder of plugins, and that beside it")
    build(read(source), install.steps, folder)


def build(
    files: list[File], steps: Sequence[str], folder: Path, show: tuple[str, ...] = (), limits: Limits = BUILD
) -> None:
    """The folder holds what the steps have made of the files, in a box that shows nothing but those and `show`."""
    script = FIRST + "\n".join(steps) + "\n"
    try:
        agent = Agent(Kind.of(backend_for("any"), limits, role="build", show=show))
    except AgentDied as error:
        raise InstallError(f"no box to build in: {error}") from None
    try:
        agent.program(files)
        told, parts = next(agent.run(["/bin/sh", "-c", script], {}, limits, [b""], collect=True))
    except AgentDied as error:
        raise InstallError(f"the box ended while it was built in: {error}") from None
    finally:
        agent.close()
    if told["failed"] or told["status"] != 0:
        how = told["failed"] or told["killed"] or code(told["status"])
        raise InstallError(f"the steps ended with {how}: {parts[1].decode('utf-8', 'replace').strip()[-500:]}")
    written = zip(told.get("files", ()), parts[2:], strict=True)
    kept = [(name, executable, data) for (name, executable), data in written if name.startswith(f"{PREFIX}/")]
    if not kept:
        raise InstallError("the steps have put nothing into the folder that PREFIX names")
    for name, executable, data in kept:
        path = folder / name.removeprefix(f"{PREFIX}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if executable else 0o644)


def read(source: Path) -> list[File]:
    """The files of the folder, as a program's."""
    if not source.is_dir():
        raise InstallError(f"the source folder {source} is not there")
    paths = sorted(path for path in source.rglob("*") if path.is_file())
    for path in paths:
        # Whoever wrote the pack does not choose what else root reads here.
        if not path.resolve().is_relative_to(source.resolve()):
            raise InstallError(f"the source {path} is a link out of its folder; put the file itself there")
    return [(str(path.relative_to(source)), bool(path.stat().st_mode & 0o100), path.read_bytes()) for path in paths]
