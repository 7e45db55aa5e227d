"""Attacks as a user who is not root: what that needs is laid where he can read it, and they are run as him."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

import yaml

from tasklake.sandbox_exec import limits
from tasklake.sandbox_exec.adversarial.corpus import Attack
from tasklake.sandbox_exec.adversarial.trial import Seen

ATTACKS = Path(__file__).parent / "attacks"
PACKAGE = Path(limits.__file__).parent
# Nobody's user, and not the one that root's own candidates are.
USER = 65533
OLDEST = "import sys, ctypes; sys.exit(sys.version_info < (3, 11))"
KEPT = [each.name for each in fields(Seen)]
WITHOUT_CACHES = shutil.ignore_patterns("__pycache__", "*.so")


class Plain:
    """A user without privileges, for as long as it is open."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tasklake-plain-"))
        self.folder.chmod(0o755)
        for source, name in (
            (PACKAGE, "tasklake/sandbox_exec"),
            (ATTACKS, "tasklake/sandbox_exec/adversarial/attacks"),
            (Path(yaml.__file__).parent, "yaml"),
        ):
            shutil.copytree(source, self.folder / name, ignore=WITHOUT_CACHES)
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir()
        os.chown(self.scratch, USER, USER)
        self.python = next((each for each in (sys.executable, "/usr/bin/python3") if self._runs(each)), "")
        self.known: dict[tuple[str, str], dict[str, Seen]] = {}

    def close(self) -> None:
        """Nothing of it is left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def seen(self, level: str, what: str, attacks: list[Attack]) -> dict[str, Seen]:
        """What all these attacks showed as that user, by their names; they run once."""
        if (level, what) not in self.known:
            names = [attack.name for attack in attacks]
            done = self._run([self.python, "-B", "-m", "tasklake.sandbox_exec.adversarial", level, what, *names])
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            assert len(rows) == len(names), done.stderr
            self.known[level, what] = {row["name"]: Seen(**{key: row[key] for key in KEPT}) for row in rows}
        return self.known[level, what]

    def _runs(self, python: str) -> bool:
        """True where the user may execute this interpreter, and it is new enough."""
        try:
            return self._run([python, "-c", OLDEST]).returncode == 0
        except OSError:
            return False

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, user=USER, group=USER, extra_groups=[], cwd=self.folder, text=True, capture_output=True, check=False,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(self.folder), "TMPDIR": str(self.scratch)},
        )  # fmt: skip
