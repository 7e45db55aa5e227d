"""Row gates: named assertions that yield a reason or null, as Spark SQL text with examples that prove them.

Adding a gate is adding a `Gate` to `GATES` of one module here (or of a module in the plugins folder's `gates/`). Gates
of samples see the columns of `verdicts`, `candidates` and `tasks`: candidate_id, task_id, source, source_id, language,
program, model, verdict, n_cases, n_accepted, max_cpu_s, statement, input_format, output_format.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.plugins import PluginError, load_plugin


class GateError(TasklakeError):
    """A gate is unknown, doubled or not what it says."""

    exit_code = 2


@dataclass(frozen=True)
class Gate:
    """A row passes when `holds` is true; otherwise `reason` (SQL for a sentence) says why not.

    `passes` and `fails` are rows, columns by name, on which a test tries the gate.
    """

    name: str
    doc: str
    holds: str
    reason: str
    passes: tuple[Mapping[str, Any], ...]
    fails: tuple[Mapping[str, Any], ...]
    version: str = "1"

    @property
    def fingerprint(self) -> str:
        """A hash of everything that decides which rows pass."""
        return hashlib.sha256(json.dumps([self.name, self.version, self.holds]).encode()).hexdigest()[:16]


def all_gates(plugins: Path | None = None) -> dict[str, Gate]:
    """Every gate by name, those of the plugins folder included."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    modules += [_plugin(path) for path in sorted(plugins.glob("[a-z]*.py"))] if plugins else []
    found: dict[str, Gate] = {}
    for gate in (gate for module in modules for gate in module.GATES):
        if gate.name in found:
            raise GateError(f"gate {gate.name} is defined twice; a gate's name is its identity among the rejects")
        found[gate.name] = gate
    return found


def chosen_gates(names: Sequence[str] | str, plugins: Path | None = None) -> tuple[Gate, ...]:
    """The gates that a recipe names, or all of them."""
    known = all_gates(plugins)
    if names == "all":
        return tuple(known.values())
    for name in names:
        if name not in known:
            right = nearest(name, known)
            raise GateError(
                f"gate {name} is unknown{f'; did you mean {right}?' if right else ''} Known: {', '.join(known)}"
            )
    return tuple(known[name] for name in names)


def gate_fingerprint(gates: Sequence[Gate]) -> str:
    """A hash of a set of gates, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(g.fingerprint for g in gates)).encode()).hexdigest()[:16]


def _plugin(path: Path) -> ModuleType:
    try:
        module = load_plugin(path, "gate", {"GATES": Sequence})
    except PluginError as error:
        raise GateError(str(error)) from error
    wrong = [each for each in module.GATES if not isinstance(each, Gate)]
    if wrong:
        raise GateError(f"{path}: GATES holds {wrong[0]!r:.60}, which is no tasklake.quality.gates.Gate")
    return module
