"""Commands of a pack, resolved before anything runs: a tool that is missing is never mistaken for a failing program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages.pack import Command, Language

# System folders go first: what a person's PATH puts before them are mostly shims in a home directory, which no box shows.
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
# Quotes, expansions, redirections, lists: what only a shell understands.
SHELL_SYNTAX = re.compile(r"[|&;<>()$`\\\"'*?\[\]#~{}!\n]|(^|\s)\w+=")
SHELL = "/bin/sh"
# Asking a cold JVM for its version takes seconds on a busy machine; a minute means that it hangs.
VERSION_TIMEOUT_S = 60
# A version line goes into every verdict row.
VERSION_CHARACTERS = 200


class ToolchainMissing(TasklakeError):
    """A command of the language is not on this machine; the message names it and what to install."""


def search_path() -> str:
    """Where tools are looked for, and the PATH that programs get."""
    return os.pathsep.join(dict.fromkeys((*SYSTEM_PATH, *(p for p in os.get_exec_path() if p.startswith("/")))))


def resolved(language: Language, command: Command) -> tuple[str, ...]:
    """The argv to execute, its first word an absolute path or one inside the box."""
    if isinstance(command, str) and SHELL_SYNTAX.search(command):
        # The shell would look its first word up too late, and call what is missing a failure of the program.
        first = command.split()[0]
        if re.fullmatch(r"[\w.+-]+", first):
            _found(language, first)
        return (SHELL, "-c", command)
    first, *rest = command.split() if isinstance(command, str) else command
    return (first if "/" in first else _found(language, first), *rest)


def commands(language: Language) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The argv of the build, if there is one, and of a run; ToolchainMissing where a tool is not here."""
    build = None if language.compile is None else resolved(language, language.compile)
    return build, resolved(language, language.execute)


def toolchain(language: Language) -> str:
    """The line by which the toolchain names its version; ToolchainMissing where a tool is not here."""
    build, run = commands(language)
    argv = resolved(language, language.version) if language.version else ()
    return _version(argv) if argv else " ".join(dict.fromkeys(each[0] for each in (build, run) if each))


def _found(language: Language, word: str) -> str:
    names = language.commands.get(word, (word,))
    for name in names:
        found = shutil.which(name, path=search_path())
        if found:
            return found
    wanted = " or ".join(names)
    how = f"install it: {language.install}" if language.install else "install it, or make its pack name another command"
    raise ToolchainMissing(f"language {language.id}: command {wanted} is not on this machine; {how}")


@cache
def _version(argv: tuple[str, ...]) -> str:
    """The first line that the command prints, on either stream."""
    env = {"PATH": search_path(), "LANG": "C.UTF-8", "HOME": "/"}
    try:
        told = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=env,
            cwd="/",
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainMissing(f"{' '.join(argv)} does not tell its version: {error}; repair or reinstall it") from None
    lines = [line.strip() for line in (told.stdout + b"\n" + told.stderr).decode("utf-8", "replace").splitlines()]
    return next((line for line in lines if line), argv[0])[:VERSION_CHARACTERS]
