"""A Python file of the user's is loaded as a module, and told in one sentence where it is none."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tasklake.sandbox_exec.errors import TasklakeError


class PluginError(TasklakeError):
    """A file of the plugins folder cannot be used; the message begins with the file."""

    exit_code = 2


def load_plugin(path: Path, kind: str, needed: Mapping[str, Any]) -> ModuleType:
    """The module of the file, which has everything that its kind needs."""
    spec = importlib.util.spec_from_file_location(f"tasklake_{kind}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path}: cannot be loaded as a Python module; name it such as {kind}.py")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look a module up by its name.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    # A file of the user's may raise anything while it is imported; it becomes a sentence.
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        raise PluginError(f"{_place(path, error)}: {type(error).__name__}: {_said(error)}; mend the {kind}") from error
    missing = [name for name, what in needed.items() if not isinstance(getattr(module, name, None), what)]
    if missing:
        raise PluginError(f"{path}: {', '.join(missing)} is missing or of a wrong kind; a {kind} has {_listed(needed)}")
    return module


def _listed(needed: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} ({what.__name__})" for name, what in needed.items())


def _place(path: Path, error: BaseException) -> str:
    """The file and, where it can be seen, the line."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _said(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return (text.splitlines() or ["no reason"])[0]
