"""Every gate of the folder says what it is, and a gate is added by adding a file."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import replace
from pathlib import Path
from string import Template

import pytest

from tasklake.jobs.recipe import Gate as GateSection
from tasklake.quality import gates
from tasklake.quality.gates import Gate, GateError, all_gates, chosen_gates, gate_fingerprint

each_gate = pytest.mark.parametrize("gate", all_gates().values(), ids=lambda gate: gate.name)

PLUGIN = """
from tasklake.quality.gates import Gate

GATES = (
    Gate(
        name="{name}",
        doc="A rule of a newcomer's own.",
        holds="length(program) > 3",
        reason="'the program is shorter than four characters'",
        passes=({{"program": "print"}},),
        fails=({{"program": "1"}},),
    ),
)
"""


def plugin(folder: Path, name: str) -> Path:
    """A plugins folder with one gate of that name."""
    (folder / "mine.py").write_text(PLUGIN.format(name=name))
    return folder


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(gates.__path__)])
def test_every_module_of_the_folder_offers_gates_and_says_what_they_are_about(name):
    """A theme has a docstring and at least one gate."""
    module = importlib.import_module(f"{gates.__name__}.{name}")
    assert module.__doc__
    assert module.GATES
    assert all(isinstance(gate, Gate) for gate in module.GATES)


@each_gate
def test_a_gate_is_named_after_what_holds_and_says_why(gate: Gate):
    """The name is one word of a reject's reason; the paragraph gives the reason for the rule."""
    assert re.fullmatch(r"[a-z][a-z0-9_]*", gate.name)
    assert len(gate.doc.split()) >= 5
    assert gate.holds
    assert gate.reason


@each_gate
def test_a_gate_brings_rows_that_pass_and_rows_that_fail(gate: Gate):
    """A rule without examples on both sides is not shown to tell them apart."""
    assert gate.passes
    assert gate.fails
    assert {frozenset(row) for row in gate.passes} == {frozenset(row) for row in gate.fails}


@each_gate
def test_a_gate_takes_its_numbers_from_the_recipe(gate: Gate):
    """Each ${name} in a rule is a setting of the recipe's section gate."""
    assert set(Template(gate.holds).get_identifiers()) <= set(GateSection.model_fields)


def test_names_are_unique():
    """A gate's name is its identity among the rejects."""
    names = [
        gate.name
        for module in pkgutil.iter_modules(gates.__path__)
        for gate in importlib.import_module(f"{gates.__name__}.{module.name}").GATES
    ]
    assert len(set(names)) == len(names) == len(all_gates())


def test_a_gate_is_added_by_one_file(tmp_path):
    """The plugins folder's gates stand beside the packaged ones."""
    found = all_gates(plugin(tmp_path, "program_is_mine"))
    assert set(found) == {*all_gates(), "program_is_mine"}


def test_a_gate_of_a_known_name_is_refused(tmp_path):
    """Two rules of one name could not be told apart among the rejects."""
    taken = next(iter(all_gates()))
    with pytest.raises(GateError, match=f"{taken} is defined twice"):
        all_gates(plugin(tmp_path, taken))


def test_an_unknown_gate_is_refused_with_the_nearest_name():
    """A slip of the pen in a recipe is answered with the right name."""
    with pytest.raises(GateError, match="did you mean verdict_is_accepted"):
        chosen_gates(["verdict_is_acepted"])


def test_all_means_every_gate_and_names_mean_those():
    """The order is the recipe's."""
    assert chosen_gates("all") == tuple(all_gates().values())
    names = list(all_gates())[::-1][:2]
    assert [gate.name for gate in chosen_gates(names)] == names


def test_the_fingerprint_of_a_set_changes_with_what_decides_and_with_nothing_else():
    """What was judged is judged again when a rule or its version changed, not when its words or their order did."""
    one, *rest = all_gates().values()
    before = gate_fingerprint([one, *rest])
    assert gate_fingerprint([*rest, one]) == before
    assert gate_fingerprint([replace(one, doc="Other words for the same rule."), *rest]) == before
    assert gate_fingerprint([replace(one, holds="true"), *rest]) != before
    assert gate_fingerprint([replace(one, version="2"), *rest]) != before
    assert gate_fingerprint(rest) != before
