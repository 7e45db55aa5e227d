"""An agent's answers come whole and in turn, and never hold it up while a program runs."""

from __future__ import annotations

import io
import socket
import threading
import time

from tasklake.sandbox_exec.agent.serve import OFTEN_S, SMALL, Answers, read_frame

BIG = b"x" * (SMALL + 1)


def test_a_caller_who_does_not_read_holds_nobody_up():
    """What does not fit into the socket waits until there is time, and comes then behind what came before it."""
    ours, theirs = socket.socketpair()
    answers = Answers(theirs.makefile("wb"))
    theirs.setblocking(False)
    filled = 0
    try:
        while True:
            filled += theirs.send(b"\0" * 4096)
    except BlockingIOError:
        theirs.settimeout(30)
    answers.add({"failed": "", "number": 1}, [[b"one"]])
    # Would wait for half a minute, and fail then, if it did write.
    answers.send_now()
    assert len(answers.late) == 1
    reader = ours.makefile("rb")
    assert reader.read(filled) == bytes(filled)
    answers.add({"failed": "", "number": 2}, [[b"two"]])
    answers.send_now()
    assert answers.late == []
    assert [read_frame(reader)[0]["number"] for _ in range(2)] == [1, 2]


def test_a_large_answer_goes_out_at_once_and_in_turn():
    """Small ones that waited are ahead of it."""
    stream = io.BytesIO()
    answers = Answers(stream)
    answers.add({"failed": "", "number": 1}, [[b"one"]])
    assert stream.getvalue() == b""
    answers.add({"failed": "", "number": 2}, [[BIG, BIG], [b"end"]])
    stream.seek(0)
    assert read_frame(stream) == ({"failed": "", "number": 1}, [b"one"])
    assert read_frame(stream) == ({"failed": "", "number": 2}, [BIG + BIG, b"end"])


def test_many_small_answers_fit_into_a_socket_that_takes_any():
    """Where writing does not wait for the first byte, it does not wait for the last of all that may be late."""
    ours, theirs = socket.socketpair()
    answers = Answers(theirs.makefile("wb"))
    for number in range(8):
        answers.add({"failed": "", "number": number}, [[b"x" * SMALL]])
    done = threading.Thread(target=answers.send_now, daemon=True)
    done.start()
    done.join(30)
    assert not done.is_alive()
    ours.close()


def test_a_caller_is_not_woken_up_for_each_quick_answer():
    """The first goes out at once, those that follow soon together, and none is kept for good."""
    ours, theirs = socket.socketpair()
    answers = Answers(theirs.makefile("wb"))
    answers.add({"failed": "", "number": 0})
    answers.send_now()
    assert answers.late == []
    for number in (1, 2):
        answers.add({"failed": "", "number": number})
        answers.sent = time.monotonic()
        answers.send_now()
        assert len(answers.late) == number
    answers.sent = time.monotonic() - OFTEN_S
    answers.send_now()
    # While the last of its inputs is run, the agent's caller has to hear of the others to send more in time.
    answers.add({"failed": "", "number": 3})
    answers.sent, answers.awaited = time.monotonic(), True
    answers.send_now()
    reader = ours.makefile("rb")
    assert [read_frame(reader)[0]["number"] for _ in range(4)] == [0, 1, 2, 3]
