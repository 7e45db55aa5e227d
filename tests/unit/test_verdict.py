"""The verdict over a run follows the precedence of verdicts, in whatever order steps come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklake.sandbox_exec.verdict import PRECEDENCE, Verdict, overall

WORDS = st.sampled_from(list(Verdict))


def test_every_word_has_a_place() -> None:
    """Each verdict but skipped, which says nothing, has its place in the precedence, once."""
    assert sorted(PRECEDENCE) == sorted(set(Verdict) - {Verdict.skipped})


def test_names_are_words() -> None:
    """A verdict's name is the word that tables hold."""
    assert all(each.name == each.value == str(each) for each in Verdict)


@pytest.mark.parametrize(
    ("heavier", "lighter"),
    [
        ("internal_error", "tampering"),
        ("tampering", "compile_error"),
        ("compile_error", "output_limit"),
        ("compile_limit", "output_limit"),
        ("output_limit", "memory_limit"),
        ("memory_limit", "time_limit"),
        ("time_limit", "runtime_error"),
        ("runtime_error", "wrong_answer"),
        ("wrong_answer", "accepted"),
    ],
)
def test_precedence_is_that_of_the_design(heavier: str, lighter: str) -> None:
    """Where two cases differ, the weightier word is the verdict."""
    assert overall(Verdict.accepted, [Verdict(lighter), Verdict(heavier)]) == heavier


@given(build=WORDS, cases=st.lists(WORDS), data=st.data())
def test_order_of_cases_does_not_matter(build: Verdict, cases: list[Verdict], data: st.DataObject) -> None:
    """The same steps in another order have the same verdict."""
    assert overall(build, cases) == overall(build, data.draw(st.permutations(cases)))


@given(build=WORDS, cases=st.lists(WORDS))
def test_accepted_means_every_step_was(build: Verdict, cases: list[Verdict]) -> None:
    """A run is accepted only when every step that was not skipped was, and at least one was."""
    shown = [word for word in (build, *cases) if word is not Verdict.skipped]
    assert (overall(build, cases) is Verdict.accepted) == (bool(shown) and set(shown) == {Verdict.accepted})


@given(build=WORDS, cases=st.lists(WORDS))
def test_verdict_is_one_that_was_shown(build: Verdict, cases: list[Verdict]) -> None:
    """The verdict is never a word that no step showed."""
    assert overall(build, cases) in {build, *cases}


def test_nothing_run_is_skipped() -> None:
    """Where all was skipped, so is the whole; without cases the build speaks."""
    assert overall(Verdict.skipped, [Verdict.skipped]) is Verdict.skipped
    assert overall(Verdict.accepted, []) is Verdict.accepted
