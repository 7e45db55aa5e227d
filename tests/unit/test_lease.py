"""A lake has one writer: a second one waits or is told, a dead one blocks nobody, a lost lease ends the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasklake.jobs.lake import LakeUri, lease
from tasklake.jobs.lake.lease import Holder, Lease, LeaseHeldError, dump, parse

# Takes the lease of the lake in argv, says so with its token, and holds it until its standard input ends.
WRITER = """
import sys
from tasklake.jobs.lake import LakeUri
from tasklake.jobs.lake.lease import Lease
with Lease(LakeUri.parse(sys.argv[1]), "the first writer") as held:
    sys.stdout.write(f"{held.me.token}\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""

Writer = subprocess.Popen[str]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Callable[[], Writer]]:
    """Starts another process that holds the lease of the lake in tmp_path."""
    started: list[Writer] = []

    def start() -> Writer:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit(), "the other writer did not get the lease"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def record(folder: Path) -> Path:
    return folder / "_lease.json"


def stored(folder: Path) -> Holder:
    return parse(record(folder).read_bytes())


def a_lease(folder: Path, **more: object) -> Lease:
    return Lease(LakeUri.parse(str(folder)), "this test", **more)  # type: ignore[arg-type]


def elsewhere(expires: float) -> Holder:
    """A holder on a machine that this one cannot look into."""
    return Holder(7, "somebody", "another-host", "another boot", ((1, "1"),), "tasklake run there", expires)


def eventually(is_true: Callable[[], bool]) -> bool:
    """True as soon as it is; the bound only ends a test that would otherwise hang."""
    for _ in range(3000):
        if is_true():
            return True
        time.sleep(0.01)
    return False


def test_a_second_writer_is_refused_and_told_who_holds_the_lease(tmp_path, writer):
    """The refusal names the command, the process and the way out."""
    process = writer()
    with pytest.raises(LeaseHeldError) as refused, a_lease(tmp_path):
        pass
    assert "the first writer" in str(refused.value)
    assert str(process.pid) in str(refused.value)
    assert "--wait" in str(refused.value)


def test_a_waiting_writer_is_told_and_gets_the_lease_when_it_is_released(tmp_path, writer):
    """With wait=True the second writer waits as long as the first one works, and then writes."""
    process = writer()
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        assert process.stdin is not None
        process.stdin.close()

    with a_lease(tmp_path, wait=True, told=tell) as held:
        held.check()
    assert len(told) == 1
    assert "the first writer" in told[0]


def test_the_lease_of_a_killed_process_is_taken_over_at_once(tmp_path, writer):
    """No expiry is waited for when the holder is known to be dead on this machine, a zombie included."""
    process = writer()
    assert stored(tmp_path).expires > time.time(), "the lease has not expired"
    process.send_signal(signal.SIGKILL)
    assert eventually(lambda: lease.process_start(process.pid) is None), "it is a zombie now: nobody waited for it"
    with a_lease(tmp_path) as held:
        held.check()


def test_a_lease_is_kept_while_any_process_of_its_holder_lives(tmp_path, writer):
    """A driver's JVM may still commit after its Python was killed: the next writer waits for it unasked."""
    process = writer()
    left = subprocess.Popen(["sleep", "2"])
    alive = (left.pid, lease.process_start(left.pid) or "")
    holder = stored(tmp_path)
    process.kill()
    process.wait()
    record(tmp_path).write_bytes(dump(replace(holder, processes=(*holder.processes, alive))))
    with a_lease(tmp_path) as held:
        assert lease.process_start(left.pid) is None, "what the dead holder left could still have written"
        held.check()
    left.wait()


def test_a_process_that_is_added_later_is_stored_at_once(tmp_path):
    """A driver killed right after its JVM started must not leave a JVM that the lease does not know of."""
    with a_lease(tmp_path) as held:
        held.add_process(os.getppid())
        assert os.getppid() in [pid for pid, _ in stored(tmp_path).processes]


def test_a_process_id_that_was_given_to_another_process_does_not_hold_the_lease(tmp_path, writer):
    """Identity is the process id together with its start."""
    process = writer()
    holder = stored(tmp_path)
    process.kill()
    process.wait()
    record(tmp_path).write_bytes(dump(replace(holder, processes=((os.getpid(), "another start"),))))
    with a_lease(tmp_path) as held:
        held.check()


def test_a_holder_on_another_host_is_waited_for_until_its_expiry(tmp_path):
    """Whether a process elsewhere lives cannot be seen, so the lease is its word until it expires."""
    record(tmp_path).write_bytes(dump(elsewhere(time.time() + 3600)))
    with pytest.raises(LeaseHeldError, match="another-host"), a_lease(tmp_path):
        pass


def test_a_holder_on_another_host_is_replaced_after_its_expiry(tmp_path):
    """A killed job on another machine does not block the next one for ever."""
    record(tmp_path).write_bytes(dump(elsewhere(time.time() - 1)))
    with a_lease(tmp_path) as held:
        held.check()
        assert held.me.token == 8, "the token is higher than that of the holder before"


def test_an_expiry_beyond_any_lease_is_a_clock_that_is_ahead(tmp_path, monkeypatch):
    """A lease that was written for next year holds as long as any other from when it is first seen."""
    monkeypatch.setattr(lease, "EXPIRY_S", 0.5)
    monkeypatch.setattr(lease, "POLL_S", 0.05)
    record(tmp_path).write_bytes(dump(elsewhere(time.time() + 365 * 24 * 3600)))
    with pytest.raises(LeaseHeldError, match=r"lease good for \d s more"), a_lease(tmp_path):
        pass
    with a_lease(tmp_path, wait=True) as held:
        assert held.me.token == 8


def test_a_holder_with_a_clock_ahead_keeps_the_lease_while_it_renews(tmp_path, monkeypatch):
    """Each new record is a sign of life."""
    monkeypatch.setattr(lease, "EXPIRY_S", 0.5)
    monkeypatch.setattr(lease, "POLL_S", 0.05)
    waiting = a_lease(tmp_path, wait=True)
    for number in range(8):
        record(tmp_path).write_bytes(dump(elsewhere(time.time() + 10_000 + number)))
        assert not waiting._try_take()
        time.sleep(0.1)


def test_a_refusal_names_the_lease(tmp_path):
    """Whoever has to look knows where."""
    record(tmp_path).write_bytes(dump(elsewhere(time.time() + 30)))
    with pytest.raises(LeaseHeldError) as refused, a_lease(tmp_path):
        pass
    assert str(record(tmp_path)) in str(refused.value)


@pytest.mark.parametrize("name", ["_lease.lock", "_lease.json"])
def test_a_link_in_place_of_a_file_of_the_lease_is_not_followed(tmp_path, name):
    """A lake from strangers does not lead us to write over a file that lies elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("whole")
    (tmp_path / name).symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"), a_lease(tmp_path):
        pass
    assert victim.read_text() == "whole"


def test_a_link_under_the_name_of_a_temporary_file_is_replaced(tmp_path):
    """The name can be guessed; what the link leads to stays as it was."""
    victim = tmp_path / "victim"
    victim.write_text("whole")
    (tmp_path / f"_lease.{os.getpid()}-{threading.get_ident()}.tmp").symlink_to(victim)
    with a_lease(tmp_path) as held:
        held.check()
    assert victim.read_text() == "whole"


def test_a_pipe_in_place_of_the_record_blocks_nobody(tmp_path):
    """Nothing can be read from it, which is a record that cannot be read."""
    os.mkfifo(record(tmp_path))
    with a_lease(tmp_path) as held:
        held.check()


def test_a_machine_that_cannot_tell_which_processes_live_goes_by_the_expiry(tmp_path, monkeypatch):
    """Without /proc no process can be seen; that is no proof that the holder is dead."""
    monkeypatch.setattr(lease, "boot_id", lambda: lease.UNKNOWN)
    mine = a_lease(tmp_path).me
    unseen = replace(mine, processes=((2**22 + 1, "never"),))
    assert not replace(unseen, expires=time.time() + 3600).is_gone(time.time())
    assert replace(unseen, expires=time.time() - 1).is_gone(time.time())


def test_check_raises_once_somebody_else_took_over(tmp_path):
    """Fencing: whoever lost the lease commits nothing more, though its process still runs."""
    with a_lease(tmp_path) as held:
        held.check()
        taker = elsewhere(time.time() + 3600)
        record(tmp_path).write_bytes(dump(taker))
        with pytest.raises(LeaseHeldError, match=r"lost its lease .*_lease\.json"):
            held.check()
    assert stored(tmp_path) == taker, "leaving does not release what is another's"


def test_check_raises_when_the_record_is_gone(tmp_path):
    """A lake that was removed underneath a writer is not written to."""
    with a_lease(tmp_path) as held:
        record(tmp_path).unlink()
        with pytest.raises(LeaseHeldError):
            held.check()


def test_check_renews_a_lease_that_ran_out_unnoticed(tmp_path):
    """After a suspended machine wakes up, a commit is made under a lease that is good, not one that has expired."""
    with a_lease(tmp_path) as held:
        held.me = replace(held.me, expires=time.time() - 1)
        record(tmp_path).write_bytes(dump(held.me))
        held.check()
        assert stored(tmp_path).expires > time.time()


def test_the_token_rises_with_every_holder(tmp_path, writer):
    """Released, killed or expired: the next holder has the higher number."""
    tokens = []
    for _ in range(2):
        with a_lease(tmp_path) as held:
            tokens.append(held.me.token)
    process = writer()
    tokens.append(stored(tmp_path).token)
    process.kill()
    process.wait()
    with a_lease(tmp_path) as held:
        tokens.append(held.me.token)
    assert tokens == [1, 2, 3, 4]


def test_a_released_lease_can_be_taken(tmp_path):
    """Nobody waits for somebody who has finished, though its process goes on."""
    for _ in range(2):
        with a_lease(tmp_path) as held:
            held.check()
    assert not stored(tmp_path).processes


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"processes": []}',
        dump(elsewhere(0)).replace(b'"expires": 0', b'"expires": null'),
        dump(elsewhere(0)).replace(b'"expires": 0', b'"expires": "soon"'),
        dump(elsewhere(0)).replace(b'"token": 7', b'"token": "seven"'),
        dump(elsewhere(0)).replace(b'"token": 7', b'"token": Infinity'),
        dump(elsewhere(0)).replace(b'"expires": 0', b'"expires": NaN'),
        dump(elsewhere(0)).replace(b'"expires": 0', b'"expires": Infinity'),
        dump(elsewhere(0)).replace(b'"expires": 0', b'"expires": 1e999'),
        dump(replace(elsewhere(time.time() + 50), host=7)),  # type: ignore[arg-type]
        b"[" * 60_000,
        b"x" * 70_000,
    ],
    ids=lambda content: repr(content[:60]),
)
def test_a_record_that_cannot_be_read_counts_as_expired(tmp_path, content):
    """Half a file, left by a full disk, blocks nobody."""
    record(tmp_path).write_bytes(content)
    with a_lease(tmp_path) as held:
        held.check()


def test_renewal_keeps_the_lease(tmp_path, monkeypatch):
    """The expiry moves on while the holder lives."""
    monkeypatch.setattr(lease, "RENEW_S", 0.01)
    with a_lease(tmp_path) as held:
        first = stored(tmp_path).expires
        assert eventually(lambda: stored(tmp_path).expires > first)
        held.check()


def test_renewal_survives_a_storage_that_fails_for_a_while(tmp_path, monkeypatch):
    """A failed renewal is tried again: the lease is lost by expiry alone, never by one bad answer of the storage."""
    monkeypatch.setattr(lease, "RENEW_S", 0.01)
    monkeypatch.setattr(lease, "POLL_S", 0.01)
    with a_lease(tmp_path) as held:
        whole = record(tmp_path).read_bytes()
        # A link to itself takes the record's place in one step: every read of it raises OSError.
        loop, back = (record(tmp_path).with_suffix(end) for end in (".loop", ".back"))
        loop.symlink_to(record(tmp_path).name)
        loop.replace(record(tmp_path))
        with pytest.raises(OSError, match="symbolic links"):
            held.check()
        time.sleep(0.1)
        back.write_bytes(whole)
        back.replace(record(tmp_path))
        assert eventually(lambda: stored(tmp_path).expires > parse(whole).expires)
        held.check()


def test_a_renewal_that_finds_another_holder_changes_nothing(tmp_path, monkeypatch):
    """The thread of a holder that was taken over never writes its own record back."""
    monkeypatch.setattr(lease, "RENEW_S", 0.01)
    with a_lease(tmp_path) as held:
        taker = dump(elsewhere(time.time() + 3600))
        fresh = record(tmp_path).with_suffix(".taken")
        fresh.write_bytes(taker)
        fresh.replace(record(tmp_path))
        assert eventually(lambda: held.lost is not None)
        assert record(tmp_path).read_bytes() == taker


def test_of_two_that_saw_the_same_record_one_wins(tmp_path):
    """The record is replaced by whoever saw its latest content; the other one is told that it was late."""
    cell = lease.cell_at(LakeUri.parse(str(tmp_path)).child("_lease.json"))
    _, mark = cell.read()
    assert cell.replace(b"one", mark)
    assert not cell.replace(b"two", mark)
    assert cell.read()[0] == b"one"


def test_no_file_but_the_record_is_left_behind(tmp_path):
    """Renewals leave no temporary file."""
    with a_lease(tmp_path) as held:
        held.add_process(os.getpid())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_lease.json", "_lease.lock"]
    assert set(json.loads(record(tmp_path).read_text())) == set(Holder.__dataclass_fields__)
