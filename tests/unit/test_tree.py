"""Which processes are counted, told from what /proc shows of them."""

from __future__ import annotations

from tasklake.sandbox_exec.agent.tree import own_memory


def shown(state: str, parent: int, size: int) -> list[bytes]:
    return [state.encode(), str(parent).encode(), *[b"0"] * 18, str(size).encode(), b"9"]


def test_a_child_with_its_parents_memory_is_left_out():
    """It is the one for whom the parent waits, and who has not become anything else yet."""
    assert own_memory({2: shown("D", 1, 500), 3: shown("R", 2, 500)}) == [2]
    assert own_memory({2: shown("D", 1, 500), 3: shown("R", 2, 40)}) == [2, 3]
    assert own_memory({2: shown("S", 1, 500), 3: shown("R", 2, 500)}) == [2, 3]


def test_nobody_hides_behind_another():
    """Of many children who look the same only one can have the memory of the parent who waits."""
    many = {2: shown("D", 1, 500)} | {pid: shown("R", 2, 500) for pid in range(3, 10)}
    assert len(own_memory(many)) == len(many) - 1


def test_a_chain_of_borrowers_is_counted_once():
    """Each waits for the next, and all have the first one's memory."""
    assert own_memory({2: shown("D", 1, 500), 3: shown("D", 2, 500), 4: shown("R", 3, 500)}) == [2]
