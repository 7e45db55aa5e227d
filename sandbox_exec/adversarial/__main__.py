"""Runs attacks in a process that has nothing to lose: LEVEL held|proved [NAME…]; a line of JSON for each.

A process of its own, for its environment holds a secret that no candidate may see, and attacks on the caller find it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from tasklake.sandbox_exec.adversarial.corpus import attacks
from tasklake.sandbox_exec.adversarial.trial import held, proved
from tasklake.sandbox_exec.pool import Pool

SECRET_VARIABLE = ("TASKLAKE_ADVERSARIAL_SECRET", "taken")


def main(level: str, what: str, *names: str) -> None:
    """A line for each attack is on the standard output; without names, for all that the level claims to hold."""
    with Pool(2, level) as pool:
        for attack in attacks().values():
            if attack.name in names or (not names and level in attack.levels):
                found = held(pool, attack) if what == "held" else proved(attack)
                row = {**asdict(found), "expected": attack.verdict, "doc": attack.doc}
                sys.stdout.write(json.dumps(row) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    os.environ.update([SECRET_VARIABLE])
    main(*sys.argv[1:])
