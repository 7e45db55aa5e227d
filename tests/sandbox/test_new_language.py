"""A language that nobody has heard of is one file in the plugins folder, and no code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tasklake.sandbox_exec.doctor import QUICK, self_test
from tasklake.sandbox_exec.languages import ToolchainMissing, load_languages, toolchain
from tasklake.sandbox_exec.pool import Pool

pytestmark = pytest.mark.sandbox

# A calculator that keeps numbers on a stack; its interpreter is written for this test, and is part of the pack.
PACK = """\
names: [stacker, "stack calculator"]
extensions: [.stk]
tier: 5
prompt: |
  Write a Stacker program: words between blanks. A number is put on the stack; add and mul take two and put one back.
  in puts the next number of the input, out writes the last number and takes it off.
  bye ends, and its exit code is the last number; again at the end never ends.
install: [python3]
filename: main.stk
execute: |
  python3 -I -c '
  import sys
  stack, given = [], iter(sys.stdin.read().split())
  words = {
      "in": lambda: stack.append(int(next(given))),
      "out": lambda: print(stack.pop()),
      "add": lambda: stack.append(stack.pop() + stack.pop()),
      "mul": lambda: stack.append(stack.pop() * stack.pop()),
      "bye": lambda: sys.exit(stack.pop()),
      "again": lambda: None,
  }
  program = open("main.stk").read().split()
  for word in program:
      words[word]() if word in words else stack.append(int(word))
  while program[-1] == "again":
      pass
  '
fence_tags: [stacker, stk]
comment: "#"
limit_factors: {cpu: 2}
self_test:
  - {name: echo, program: in out, input: "7\\n", expect: accepted, output: "7\\n"}
  - {name: sum, program: in in add out, input: "4000000000\\n2\\n", expect: accepted, output: "4000000002\\n"}
  - {name: wrong answer, program: 6 7 add out, expect: wrong_answer, output: "42\\n"}
  - {name: runtime error, program: 6 7 mul out 3 bye, expect: runtime_error, output: "42\\n"}
  - {name: unknown word, program: sub, expect: runtime_error}
  - {name: time limit, program: 1 again, expect: time_limit}
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A plugins folder with that file and nothing else."""
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "stacker.yaml").write_text(PACK, "utf-8")
    return tmp_path


def tasklake(plugins: Path, *words: str) -> Any:
    """What a command tells as JSON."""
    argv = [sys.executable, "-m", "tasklake.jobs", *words, "--json"]
    variables = {**os.environ, "TASKLAKE_PLUGINS": str(plugins)}
    done = subprocess.run(argv, cwd=plugins, env=variables, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_language_from_nothing_proves_itself(plugins: Path) -> None:
    """Its self-tests get the verdicts that its file expects."""
    pack = load_languages(plugins / "languages")["stacker"]
    try:
        toolchain(pack)
    except ToolchainMissing as error:
        pytest.skip(str(error))
    with Pool() as pool:
        rows = self_test(pack, pool.done, QUICK)
    assert len(rows) == 6
    assert not [row for row in rows if not row["ok"]]


def test_language_from_nothing_is_offered_and_verified(plugins: Path) -> None:
    """`tasklake languages` lists it, and `tasklake verify` judges programs in it by any of its names."""
    offered = next(row for row in tasklake(plugins, "languages", "--quick") if "stacker" in row.values())
    if not offered["offered"]:
        pytest.skip(str(offered))
    assert offered["tier"] == 5
    (plugins / "cases.jsonl").write_text(json.dumps({"input": "6\n7\n", "output": "42\n"}))
    (plugins / "right.stk").write_text("in in mul out\n")
    (plugins / "wrong.stk").write_text("in in add out\n")
    words = ("--language", "Stack Calculator", "--cases", "cases.jsonl")
    assert tasklake(plugins, "verify", "right.stk", *words)["verdict"] == "accepted"
    assert tasklake(plugins, "verify", "wrong.stk", *words)["verdict"] == "wrong_answer"
