"""No attack of the corpus succeeds, none harms its neighbours, and each would succeed without the defence it names."""

from __future__ import annotations

import importlib.resources
import inspect
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from plain import Plain

from tasklake.sandbox_exec.adversarial.__main__ import SECRET_VARIABLE
from tasklake.sandbox_exec.adversarial.corpus import LANGUAGES, LEVELS, Attack, attacks
from tasklake.sandbox_exec.adversarial.trial import Seen, held, proved
from tasklake.sandbox_exec.backends import IsolationError
from tasklake.sandbox_exec.channel import MODULES
from tasklake.sandbox_exec.containers import vessel
from tasklake.sandbox_exec.languages import language
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import backend_for

pytestmark = pytest.mark.sandbox

ROOT = os.geteuid() == 0
# How a defence is left out, in the agent's code and in that of containers.
SWITCH = re.compile(r'"(\w+)" (?:not )?in (?:\w+\.)*off|"(\w+)": linux\.NEW')
each_attack = pytest.mark.parametrize("name", sorted(attacks()))
FORKABLE = [name for name, attack in sorted(attacks().items()) if language(LANGUAGES[attack.suffix]).zygote]
CONTAINED = [name for name, attack in sorted(attacks().items()) if attack.proof == "docker"]


@pytest.fixture(scope="module", autouse=True)
def _secret() -> Iterator[None]:
    """The environment of this process holds what no candidate may see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*SECRET_VARIABLE)
        yield


@pytest.fixture(scope="module")
def pool() -> Iterator[Callable[[str], Pool]]:
    """One pool for each level and all attacks: what one of them spoils is spoilt for the next."""
    made: dict[str, Pool] = {}

    def of(level: str) -> Pool:
        needs(level)
        if level not in made:
            made[level] = Pool(2, level)
        return made[level]

    yield of
    for each in made.values():
        each.close()


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    """A user who is not root."""
    if not ROOT:
        pytest.skip("these tests run as a plain user anyway")
    made = Plain()
    if not made.python:
        pytest.skip("no Python here can be executed by a plain user")
    yield made
    made.close()


def needs(level: str) -> None:
    try:
        backend_for(level)
    except IsolationError as error:
        pytest.skip(str(error))


def claimed(name: str, level: str) -> Attack:
    attack = attacks()[name]
    if level not in attack.levels:
        pytest.skip(f"{level} does not claim to stop it")
    return attack


def check_held(attack: Attack, seen: Seen) -> None:
    """It did not succeed, is judged as it deserves, and nobody else was judged otherwise for it."""
    if seen.lacking:
        pytest.skip(f"without {', '.join(seen.lacking)} this is not held, and not claimed")
    assert not seen.succeeded, f"{attack.doc} {seen.told}"
    assert (seen.verdict, seen.harmed) == (attack.verdict, []), seen.told


@each_attack
def test_attack_is_held_by_namespaces(name: str, pool: Callable[[str], Pool]) -> None:
    """The attack fails; honest programs beside it, and right after it in the same slot, keep their verdicts."""
    attack = claimed(name, "namespaces")
    check_held(attack, held(pool("namespaces"), attack))


@pytest.mark.wide
@pytest.mark.parametrize("name", FORKABLE)
def test_attack_is_held_in_a_fork_of_its_runtime(name: str, pool: Callable[[str], Pool]) -> None:
    """The attack fails as well where its runtime has been forked, and so do those that would have come from it."""
    attack = replace(claimed(name, "namespaces"), forked=True)
    check_held(attack, held(pool("namespaces"), attack))


@pytest.mark.wide
@each_attack
def test_attack_is_held_by_landlock(name: str, pool: Callable[[str], Pool]) -> None:
    """The attack fails without any namespace too, where that level claims it."""
    attack = claimed(name, "landlock")
    check_held(attack, held(pool("landlock"), attack))


@pytest.mark.docker
@pytest.mark.usefixtures("docker_engine")
@each_attack
def test_attack_is_held_by_docker(name: str, pool: Callable[[str], Pool]) -> None:
    """The attack fails in a container as it does in namespaces, and honest programs keep their verdicts."""
    attack = claimed(name, "docker")
    check_held(attack, held(pool("docker"), attack))


@pytest.mark.docker
@pytest.mark.usefixtures("docker_engine")
@pytest.mark.parametrize("name", CONTAINED)
def test_attack_succeeds_without_its_containers_defence(name: str) -> None:
    """With exactly that off, it succeeds in a container: what stops it there is what the corpus says."""
    needs("docker")
    seen = proved(attacks()[name])
    assert seen.succeeded, f"{attacks()[name].doc} {seen.verdict}: {seen.told}"


@pytest.mark.wide
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("level", [each for each in LEVELS if each != "docker"])
@each_attack
def test_attack_of_a_plain_users_candidate_is_held(name: str, level: str, plain: Plain) -> None:
    """The attack fails where the caller himself is not root, and its program belongs to the same user as he does."""
    needs(level)
    attack = claimed(name, level)
    every = [each for each in attacks().values() if level in each.levels]
    check_held(attack, plain.seen(level, "held", every)[name])


@pytest.mark.wide
@pytest.mark.parametrize("name", sorted(attacks().keys() - CONTAINED))
def test_attack_succeeds_without_its_defence(name: str, request: pytest.FixtureRequest) -> None:
    """With exactly that off, it succeeds: the attack is a real one, and the test that holds it can fail."""
    attack = attacks()[name]
    needs(attack.proof)
    if attack.user == "plain" and ROOT:
        every = [each for each in attacks().values() if (each.user, each.proof) == ("plain", attack.proof)]
        seen = request.getfixturevalue("plain").seen(attack.proof, "proved", every)[name]
    elif attack.user == "root" and not ROOT:
        pytest.skip("only root's candidates could do this")
    else:
        seen = proved(attack)
    if seen.lacking:
        pytest.skip(f"this machine has no {', '.join(seen.lacking)} to be attacked")
    assert seen.succeeded, f"{attack.doc} {seen.verdict}: {seen.told}"


def test_corpus_is_large_and_honest() -> None:
    """Eighty attacks name one defence each, in six languages; what needs several off says why."""
    every = attacks().values()
    assert sum(len(each.defence) == 1 for each in every) >= 80
    assert set(Counter(each.suffix for each in every)) == set(LANGUAGES)
    assert not [each.name for each in every if (len(each.defence) > 1) != bool(each.why)]


def test_every_defence_is_attacked() -> None:
    """Each wall that can be left out is named by an attack, and no attack names one that is not there."""
    folder = importlib.resources.files("tasklake.sandbox_exec.agent")
    texts = [folder.joinpath(f"{name}.py").read_text("utf-8") for name in MODULES]
    found = SWITCH.findall("".join([*texts, inspect.getsource(vessel)]))
    assert {one or other for one, other in found} == {each for attack in attacks().values() for each in attack.defence}
