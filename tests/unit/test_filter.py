"""The filter of system calls decides, on both machines, as its lists say: played by a machine of a few lines."""

from __future__ import annotations

import errno
import platform
import struct

import pytest

from tasklake.sandbox_exec.agent import filter as calls

BOTH = pytest.mark.parametrize("machine", sorted(calls.ARCHITECTURES))


@pytest.fixture
def decide(machine: str, monkeypatch: pytest.MonkeyPatch):
    """What a candidate's call comes to: its number, its first two arguments, and the architecture that it names."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    program = list(struct.iter_unpack("<HBBI", calls.filter_program(build=False)))

    def decided(number: int, first: int = 0, second: int = 0, architecture: int = calls.ARCHITECTURES[machine]) -> int:
        data = struct.pack("<IIQ6Q", number, architecture, 0, first, second, 0, 0, 0, 0)
        place = held = 0
        while True:
            code, yes, no, value = program[place]
            if code == calls.RETURN:
                return value
            if code == calls.LOAD:
                (held,) = struct.unpack_from("<I", data, value)
            elif code == calls.AND:
                held &= value
            else:
                true = {calls.EQUAL: held == value, calls.AT_LEAST: held >= value, calls.ANY_BIT: held & value}[code]
                place += yes if true else no
            place += 1

    return decided


@BOTH
def test_every_call_is_decided_as_the_lists_say(machine: str, decide) -> None:
    """What is on a list is refused with its error, and all else that is known is allowed."""
    which = list(calls.ARCHITECTURES).index(machine)
    refused = {call[which]: calls.REFUSE | number for call, number in calls._refusals(build=False)}
    # With no path, it is about an open file.
    assert {number: decide(number, 0, 1 if number == calls.TIMES[which] else 0) for number in range(calls.UNKNOWN)} == {
        number: calls.REFUSE | errno.EPERM if number == calls.TIMES[which] else refused.get(number, calls.ALLOW)
        for number in range(calls.UNKNOWN)
    }


@BOTH
def test_what_nobody_has_looked_at_is_not_there(machine: str, decide) -> None:
    """A number from later on is unknown, and one of another machine's ends the program."""
    unknown = calls.REFUSE | errno.ENOSYS
    assert {decide(number) for number in (calls.UNKNOWN, calls.UNKNOWN + 1, calls.X32 - 1)} == {unknown}
    assert {decide(number) for number in (calls.X32, calls.X32 + 1, 2**32 - 1)} == {calls.KILL}
    assert decide(0, architecture=0x40000003) == calls.KILL


@BOTH
def test_arguments_decide_where_a_call_has_two_uses(machine: str, decide) -> None:
    """Limits of another, namespaces, commands of file systems, leases."""
    which = list(calls.ARCHITECTURES).index(machine)
    assert decide(calls.LIMITS[which], 1) == calls.REFUSE | errno.EPERM
    assert decide(calls.TIMES[which], 0, 2**32) == calls.REFUSE | errno.EPERM
    assert decide(calls.TIMES[which], 0, 0) == calls.ALLOW
    assert decide(calls.CLONE[which], calls.NAMESPACES & -calls.NAMESPACES) == calls.REFUSE | errno.EPERM
    assert {decide(calls.COMMAND[which], 0, each | 7) for each in calls.FILE_SYSTEMS} == {calls.REFUSE | errno.ENOTTY}
    assert decide(calls.COMMAND[which], 0, 0x5401) == calls.ALLOW
    assert decide(calls.CONTROL[which], 0, calls.LEASE) == calls.REFUSE | errno.EINVAL
    assert decide(calls.CONTROL[which], 0, 1) == calls.ALLOW
