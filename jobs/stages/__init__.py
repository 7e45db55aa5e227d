"""The steps of the journey, one module each: inputs, outputs and work. Stages meet in tables, never in imports."""

from __future__ import annotations

import importlib
from typing import cast

from tasklake.jobs.stage import Stage


def load_stage(name: str) -> Stage:
    """The module of a stage."""
    return cast(Stage, importlib.import_module(f"{__name__}.{name}"))
