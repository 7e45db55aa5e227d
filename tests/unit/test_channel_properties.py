"""The talk with an agent survives whatever comes over its socket, and carries every byte that is sent."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklake.sandbox_exec.agent.serve import read_frame, write_frame
from tasklake.sandbox_exec.channel import MEASURES, Agent, AgentDied, Kind
from tasklake.sandbox_exec.limits import Limits

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
LIMITS = Limits(cpu_s=1, wall_s=1)


class Wire:
    """Stands where an agent's process would: says what it is told to say, whatever it hears, and is gone."""

    def __init__(self, said: bytes):
        self.socket, self.theirs = socket.socketpair()
        self.speaker = threading.Thread(target=self._speak, args=(said,))
        self.speaker.start()

    def _speak(self, said: bytes) -> None:
        with self.theirs:
            try:
                self.theirs.sendall(said)
                self.theirs.shutdown(socket.SHUT_WR)
                while self.theirs.recv(1 << 16):
                    pass
            except OSError:
                return

    def end(self) -> None:
        """Nothing is left."""
        self.speaker.join()


def frame(header: Any, blobs: Sequence[bytes] = ()) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text + b"".join(blobs)


HELLO = frame({"failed": "", "blobs": []})


def talk(said: bytes) -> list[Any]:
    """What a caller gets for two inputs from an agent that says so."""
    kind = Kind("namespaces", "run", (), (), vessel=lambda _: Wire(said))
    agent = Agent(kind)
    try:
        agent.program((("main.sh", False, b"cat"),))
        return list(agent.run(["/bin/cat"], {}, LIMITS, [b"one", b"two"]))
    finally:
        agent.close()


@given(said=st.binary(max_size=200))
def test_any_bytes_end_the_talk(said: bytes) -> None:
    """An agent that speaks nonsense is taken for dead, never believed, and no other error reaches the caller."""
    with pytest.raises(AgentDied):
        talk(said)


@given(said=st.binary(max_size=200))
def test_any_bytes_behind_a_hello_end_the_talk(said: bytes) -> None:
    """That holds after it began well, too."""
    with pytest.raises(AgentDied):
        talk(HELLO + said)


@given(
    header=VALUES | st.fixed_dictionaries({"failed": st.just("") | VALUES, "blobs": VALUES}),
    more=st.binary(max_size=64),
)
def test_any_header_ends_the_talk(header: Any, more: bytes) -> None:
    """Well-formed frames that say what no agent says are no answer: sizes that are none, or beyond all bounds."""
    with pytest.raises(AgentDied):
        talk(HELLO + frame(header) + more)


@given(blobs=st.lists(st.binary(max_size=300), min_size=2, max_size=2))
def test_answers_are_carried_whole(blobs: list[bytes]) -> None:
    """What an agent measured and what a program wrote come back as they were sent."""
    header = {"failed": "", **dict.fromkeys(MEASURES, 0)}
    found = talk(HELLO + 2 * frame({**header, "blobs": [len(blob) for blob in blobs]}, blobs))
    assert found == 2 * [(header, blobs)]


@given(
    header=st.dictionaries(st.text().filter(lambda key: key != "blobs"), VALUES),
    blobs=st.lists(st.lists(st.binary())),
)
def test_frames_of_the_agent_are_read_back(header: dict[str, Any], blobs: list[list[bytes]]) -> None:
    """A frame that is written is the frame that is read, and nothing of the next one is taken."""
    stream = BytesIO()
    write_frame(stream, header, blobs)
    stream.write(b"rest")
    stream.seek(0)
    assert read_frame(stream) == (header, [b"".join(parts) for parts in blobs])
    assert stream.read() == b"rest"
