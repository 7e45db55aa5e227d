"""One attack in one pool, with honest programs beside it and after it, and what was seen of all of them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tasklake.sandbox_exec.adversarial.corpus import BUILT, Attack
from tasklake.sandbox_exec.adversarial.machine import lacking
from tasklake.sandbox_exec.adversarial.outside import Outside
from tasklake.sandbox_exec.job import Job
from tasklake.sandbox_exec.languages import ToolchainMissing, toolchain
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case, Result, Verdict

# Uses what attacks break: its input, its folders, other processes. The comment is for those that look for it.
HONEST = """# the secret of another program: taken
read a b
echo $((a + b)) > there && cat there > "$TMPDIR/again" && cat "$TMPDIR/again"
(exit 0) & wait && echo done
"""
# The same for the runtime that attacks of its own forks.
FORKED = """# the secret of another program: taken
import os, time
time.sleep({seconds})
a, b = map(int, input().split())
with open("there", "w") as file:
    file.write(f"{{a + b}}\\n")
with open("there") as file, open(os.environ["TMPDIR"] + "/again", "w") as copy:
    copy.write(file.read())
with open(os.environ["TMPDIR"] + "/again") as file:
    print(file.read(), end="")
if os.fork() == 0:
    os._exit(0)
os.wait()
print("done")
"""
ANSWER = Case(b"1 2\n", b"3\ndone\n")
# Long enough for whoever waits for it.
SLOWLY = "sleep 0.15\n"
HONEST_BUILD = (
    f"set -e\n{SLOWLY}: > $TMPDIR/again\nprintf '%s\\n' 'read a b' 'echo $((a + b))' 'echo done' > run.sh\n{SLOWLY}"
)
# What may have been read at once when a limit of output is noticed, and how far behind a limit of time that is.
AT_ONCE, FAR = 4 << 20, 1.6
PAUSE_S = 0.005
# Some attacks win a race, which they lose now and then on a machine that is busy with other things.
TIMES = 3


@dataclass(frozen=True)
class Seen:
    """What an attack showed."""

    name: str
    succeeded: bool
    verdict: str
    # What was judged wrongly of honest programs beside it and after it.
    harmed: list[str]
    told: str
    lacking: list[str]


def held(pool: Pool, attack: Attack) -> Seen:
    """What the attack shows in a pool of two slots, the other one busy with honest programs all the while."""
    missing = lacking(attack.given) + toolless(attack)
    if missing:
        return Seen(attack.name, False, "", [], "", missing)
    with Outside(attack.text) as outside:
        before = outside.state()
        with neighbour(pool, attack) as harmed:
            result = pool.done(job(attack, outside))
        # Each slot takes one of two that run at once.
        harmed += wrong(pool, [honest(attack), honest(attack)])
        return seen(attack, result, harmed, before != outside.state())


def proved(attack: Attack) -> Seen:
    """What the attack shows once its defence is off, at the best of a few times."""
    missing = lacking(attack.needs) + toolless(attack)
    if missing:
        return Seen(attack.name, False, "", [], "", missing)
    found = [undefended(attack)]
    while not found[-1].succeeded and len(found) < TIMES:
        found.append(undefended(attack))
    return found[-1]


def toolless(attack: Attack) -> list[str]:
    """The attack's language, where nothing here builds or runs it."""
    try:
        toolchain(attack.pack)
    except ToolchainMissing:
        return [attack.pack.names[0] if attack.pack.names else attack.pack.id]
    return []


def undefended(attack: Attack) -> Seen:
    """What the attack shows, once, with its defence off."""
    with Outside(attack.text) as outside, Pool(1, attack.proof, off=attack.defence) as pool:
        before = outside.state()
        harmed = wrong(pool, [honest(attack)])
        result = pool.done(job(attack, outside))
        if attack.seen == "next":
            harmed += wrong(pool, [honest(attack)])
        return seen(attack, result, harmed, before != outside.state())


def job(attack: Attack, outside: Outside) -> Job:
    """The attack with its targets named, and with inputs of which it knows only its own."""
    cases = [Case(f"case {n} {uuid.uuid4().hex[:8]}\n".encode(), b"held\n") for n in range(attack.cases)]
    return Job(outside.filled(attack.text), attack.pack, cases, attack.limits)


def honest(attack: Attack) -> Job:
    """A program that deserves to be accepted, and runs in the box that the attack ran in."""
    limits = replace(attack.limits, cpu_s=3.0, wall_s=10.0, memory_bytes=256 << 20)
    if attack.builds:
        # Never the same twice: it is to be built.
        return Job(f"# {uuid.uuid4().hex}\n{HONEST_BUILD}", BUILT, [ANSWER], replace(limits, cpu_s=60.0))
    if attack.forked:
        return Job(FORKED.format(seconds=0.15 * (attack.seen == "next")), attack.pack, [ANSWER], limits)
    return Job(SLOWLY * (attack.seen == "next") + HONEST, "shell", [ANSWER], limits)


def wrong(pool: Pool, jobs: list[Job]) -> list[str]:
    """What was judged wrongly of honest programs."""
    found = [result for _, result in pool.each(jobs) if result.verdict is not Verdict.accepted]
    return [f"{result.verdict}: {_told(result)}" for result in found]


@contextmanager
def neighbour(pool: Pool, attack: Attack) -> Iterator[list[str]]:
    """Honest programs run one after another in another slot; what was judged wrongly is told in the end."""
    harmed: list[str] = []
    over = threading.Event()

    def go_on() -> None:
        while True:
            harmed.extend(wrong(pool, [honest(attack)]))
            if over.wait(PAUSE_S):
                return

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield harmed
    finally:
        over.set()
        thread.join()


def seen(attack: Attack, result: Result, harmed: list[str], changed: bool) -> Seen:
    """Whether the attack succeeded."""
    steps = (result.build, *result.cases)
    succeeded = {
        "says": any(b"taken" in step.stdout_head for step in steps),
        "accepted": result.verdict is Verdict.accepted,
        "outside": changed,
        "next": bool(harmed),
        "broken": result.verdict is Verdict.internal_error,
        "flood": any(step.output_bytes > attack.most.output_bytes + AT_ONCE for step in steps),
        "late": any(step.cpu_s > FAR * attack.most.cpu_s for step in steps),
    }[attack.seen]
    return Seen(attack.name, succeeded, str(result.verdict), harmed, _told(result), [])


def _told(result: Result) -> str:
    steps = (result.build, *result.cases)
    return " | ".join(f"{step.verdict} {(step.stdout_head + step.stderr_tail)[-300:]!r}" for step in steps)
