"""Builds that leave behind what no build does are judged, and never taken for a failure of ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasklake.sandbox_exec.adversarial.corpus import BUILT
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = pytest.mark.sandbox

RUN = "echo 'echo right' > run.sh\n"
# A name of 250 characters.
LONG = "long=$(printf %0250d 0)\n"
BUILDS = {
    "a path that is longer than the kernel takes": (
        f"{LONG}for each in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do mkdir $long; cd $long; : > file; done\n",
        Verdict.compile_limit,
    ),
    "more names than an answer holds": (
        # Each of these characters takes six in JSON.
        "long=$(printf %0240d 0 | tr 0 '\\001')\n"
        "for top in 1 2 3 4 5 6 7 8 9 10 11 12; do mkdir $top$long; cd $top$long\n"
        "  for each in 1 2 3 4 5 6 7 8 9; do for more in 1 2 3 4 5 6 7 8 9; do : > $each$more$long; done; done\n"
        "  for below in 1 2 3 4 5 6 7 8 9; do mkdir $below; ln *$long $below; done\n"
        "cd ..; done\n",
        Verdict.compile_limit,
    ),
    "folders that can be listed and not entered, or neither": (
        "mkdir listed closed; : > listed/file; : > closed/file; chmod 0400 listed; chmod 0 closed\n",
        Verdict.accepted,
    ),
}


@pytest.mark.parametrize("level", ["namespaces", "landlock"])
@pytest.mark.parametrize(("build", "verdict"), BUILDS.values(), ids=BUILDS)
def test_odd_build_is_judged(pool_at: Callable[[str], Pool], level: str, build: str, verdict: Verdict) -> None:
    """It is beyond the limits of builds, or what can be read of it is the program; the next build is as usual."""
    odd, usual = (pool_at(level).run(text, BUILT, [Case(b"", b"right\n")]) for text in (RUN + build, RUN))
    assert (odd.verdict, usual.verdict) == (verdict, Verdict.accepted), odd.build.stderr_tail
