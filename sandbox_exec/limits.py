"""What a program may use. Every default states its reason; a language pack scales what its runtime needs anyway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from reprlib import repr as briefly
from typing import Any

from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError

MIB = 1024 * 1024
# The words of a pack's `limit_factors`, and which limits each of them scales.
FACTORS = {
    "cpu": ("cpu_s", "wall_s"),
    "memory": ("memory_bytes",),
    "processes": ("processes",),
}
# A limit so far away that no counter of the kernel wraps, for `inf` cannot be an rlimit.
MOST = 2**50

# Below these nothing runs: starting a program takes up to 16 descriptors, and it has to lie in its box itself.
LEAST = {"open_files": 32, "file_bytes": 64 * 1024}


class LimitError(TasklakeError):
    """A limit is unknown or has no sensible value; the message names it."""


def number(name: str, value: Any) -> float:
    """The value, which a limit may have: a number above 0, and none that is too large for the kernel."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LimitError(f"limit {name}: expected a number, got {briefly(value)}")
    # False for nan, too.
    if not 0 < value <= MOST:
        raise LimitError(f"limit {name}: expected a number above 0 and at most {MOST}, got {briefly(value)}")
    if value < LEAST.get(name, 0):
        raise LimitError(f"limit {name}: nothing can run with fewer than {LEAST[name]}, got {briefly(value)}")
    return value


@dataclass(frozen=True)
class Limits:
    """What one case, or the build before it, may use."""

    # Contest problems allow 1 to 5 s for compiled languages; interpreters are a few times slower.
    cpu_s: float = 10.0
    # Absent: three times the CPU time and two seconds, so that only a sleeper or a starved host meets it.
    wall_s: float | None = None
    # Four times the usual 256 MiB of contests, so that the size of a runtime rarely decides.
    memory_bytes: int = 1024 * MIB
    # The largest expected outputs in contest corpora are near 30 MB.
    output_bytes: int = 64 * MIB
    # Threads count. A JVM or node starts up to 40 of them; a fork bomb is contained at any such number.
    processes: int = 256
    # Contest programs write no files; compilers write a few MB of them. Of one file, and of all together.
    file_bytes: int = 256 * MIB
    # What most systems allow; a program that opens more has lost count.
    open_files: int = 1024
    # Deep recursion is honest; 8 MiB, the usual default, ends it at some 100,000 calls.
    stack_bytes: int = 256 * MIB

    def __post_init__(self) -> None:
        """Refuse what is not a positive, finite number."""
        for name, value in vars(self).items():
            # The only limit that may be left to be derived.
            if not (name == "wall_s" and value is None):
                number(name, value)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Limits:
        """The defaults with what is given in their place; unknown names are refused."""
        if not isinstance(given, Mapping):
            raise LimitError(f'limits: expected an object such as {{"cpu_s": 2}}, got {briefly(given)}')
        known = [each.name for each in fields(cls)]
        for name in given:
            if name not in known:
                meant = nearest(name, known)
                hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
                raise LimitError(f"limit {name} is unknown; {hint}")
        return cls(**given)

    def scaled(self, factors: Mapping[str, float]) -> Limits:
        """These limits times the factors of a language pack."""
        changed: dict[str, Any] = {}
        for factor, value in factors.items():
            if factor not in FACTORS:
                raise LimitError(f"limit factor {factor} is unknown; known are {', '.join(FACTORS)}")
            for name in FACTORS[factor]:
                given = getattr(self, name)
                changed[name] = given if given is None else type(given)(given * value)
        return replace(self, **changed)

    @property
    def wall(self) -> float:
        """Seconds that the program may sleep: what is given, or three times its CPU time and a little."""
        return self.wall_s if self.wall_s is not None else 3 * self.cpu_s + 2


# What a compiler may use: template-heavy C++ takes 10 to 20 s on a slow core, an optimiser more memory than the program
# that it makes, and linkers write files larger than any contest program does.
BUILD = Limits(cpu_s=60.0, memory_bytes=2048 * MIB, file_bytes=1024 * MIB)
