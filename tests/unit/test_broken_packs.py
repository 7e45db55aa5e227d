"""A broken pack is refused with its file, its line and the reason, whatever is wrong; the others go on working."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages import Language, PackError, broken_languages, language, load_languages
from tasklake.sandbox_exec.languages.reading import READERS, read_language

GOOD = "filename: main.x\nexecute: x main.x\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
# What is in the file, the line, and the reason.
BROKEN: dict[str, tuple[str | bytes, int, str]] = {
    "bad_yaml": (GOOD + "names: [a\ntier: 3\n", 4, "not valid YAML"),
    "bad_indentation": (GOOD + "  names: [a]\n", 3, "not valid YAML"),
    "no_mapping": ("- filename\n", 1, "expected keys with values"),
    "empty": ("", 1, "expected keys with values"),
    "unknown_key": (GOOD + "\nexekute: y\n", 4, "unknown key exekute; did you mean execute?"),
    "key_twice": (GOOD + "filename: other.x\n", 3, "given twice"),
    "no_execute": ("filename: main.x\n", 1, "execute is missing"),
    "no_filename": ("execute: x\n", 1, "filename is missing"),
    "wrong_type": (GOOD + "names: x\n", 3, "expected a list"),
    "wrong_type_inside": (GOOD + "names:\n  - x\n  - 1\n", 5, "put it in quotes"),
    "wrong_type_of_command": ("filename: main.x\nexecute: [x, main.x]\n", 2, "expected text"),
    "nul_in_command": ('filename: main.x\nexecute: "x\\0y"\n', 2, "remove the NUL"),
    "nul_in_version": (GOOD + 'version: [x, "a\\0"]\n', 3, "remove the NUL"),
    "nul_itself": (GOOD + "prompt: a\0b\n", 3, "holds the character '\\x00'"),
    "half_a_character": (GOOD + 'prompt: "a"\nnames: ["\\ud800"]\n', 4, "cannot be read as str"),
    "path_as_filename": ("filename: ../main.x\nexecute: x\n", 1, "not a plain file name"),
    "absolute_filename": ("execute: x\nfilename: /etc/main.x\n", 2, "not a plain file name"),
    "path_as_file_of_tests": (
        GOOD + "test:\n  execute: x\n  files:\n    ../a: '{program}{tests}'\n", 6, "not a plain file name",
    ),
    "filename_without_end": (f"filename: {'x' * 300}\nexecute: x\n", 1, "at most 128 signs"),
    "name_of_many": (GOOD + "names: [x, Offered]\n", 3, "means more than one language"),
    "name_of_a_tier": (GOOD + 'names: ["tier >=3"]\n', 3, "means more than one language"),
    "name_unseen": (GOOD + 'names: ["a\\e[2Jb"]\n', 3, "signs that cannot be seen"),
    "name_of_blanks": (GOOD + 'names: [" a"]\n', 3, "signs that cannot be seen"),
    "failure_of_ours": (
        GOOD + "self_test:\n  - {name: a, program: b, expect: internal_error}\n", 4, "that a program could show",
    ),
    "huge": (GOOD + "#" * (1 << 20), 1, "which no pack needs"),
    "source_elsewhere": (GOOD + "install:\n  source: /root/.ssh\n  steps: [x]\n", 4, "folder beside the pack"),
    "source_of_a_home": (GOOD + "install:\n  source: ~/.ssh\n  steps: [x]\n", 4, "folder beside the pack"),
    "source_above": (GOOD + "install:\n  source: x/../../y\n  steps: [x]\n", 4, "folder beside the pack"),
    "offered": (GOOD, 1, "stands for every language"),
    "alias_bomb": (GOOD + BOMB, 3, "remove the aliases"),
    "alias_within_itself": (GOOD + "tier: 3\nnames: &n [[x, *n]]\n", 4, "remove the alias"),
    "object": (GOOD + "names: !!python/object/apply:os.system ['true']\n", 3, "only plain data is read"),
    "not_utf8": (GOOD.encode() + b"# caf\xe9\n", 3, "not UTF-8"),
    "output_without_end": (
        GOOD + f"self_test:\n  - {{name: a, program: b, expect: accepted, output: {'x' * 100}, repeat: 1000000}}\n",
        4,
        "repeat it less often",
    ),
}  # fmt: skip
SHAPES: list[Any] = [
    None, True, 0, -1, 7, 1.5, float("nan"), float("inf"), 10**40, "", " ", "x", "\0", "../x", "é", "x\ny", [], [None],
    [[]], [{}], ["x", 1], ["\0"], [""], {}, {"x": None}, {"x": "y"}, {"x": ["y"]}, {"x": {"y": {}}}, {"": ""},
    {"files": {"a": "{program}{tests}"}, "execute": 3}, {"source": "x"}, {"suite": "x"}, {"debian": "x"}, {"cpu": "2"},
]  # fmt: skip


def written(folder: Path) -> None:
    """A folder with every broken pack, what is no file at all, and a good one beside them."""
    for name, (text, _, _) in BROKEN.items():
        (folder / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "folder.yaml").mkdir()
    (folder / "dangling.yaml").symlink_to("nowhere")
    (folder / "endless.yaml").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "no id.yaml").write_text(GOOD)
    (folder / "good.yaml").write_text(GOOD)


def test_broken_packs_are_told_and_others_go_on_working(tmp_path: Path) -> None:
    """Each is refused with FILE:LINE and a short reason; ours and the good one are as if it were not there."""
    written(tmp_path)
    packs, told = load_languages(tmp_path), broken_languages(tmp_path)
    assert {name: pack for name, pack in packs.items() if name != "good"} == load_languages()
    assert packs["good"].execute == "x main.x"
    unreadable = {"folder": "is no file", "endless": "is no file", "pipe": "is no file", "dangling": "cannot be read"}
    expected = {name: (line, said) for name, (_, line, said) in BROKEN.items()}
    expected |= {name: (1, said) for name, said in unreadable.items()} | {"no id": (1, "cannot be a language's id")}
    assert {Path(file).stem for file in told} == set(expected)
    for name, (line, said) in expected.items():
        message = told[str(tmp_path / f"{name}.yaml")]
        assert message.startswith(f"{tmp_path / name}.yaml:{line}: "), message
        assert said in message
        assert len(message) < 500


def test_who_asks_for_a_broken_pack_is_told_what_is_wrong_with_it(tmp_path: Path) -> None:
    """Not that there is none; and no other pack of that name stands in for it."""
    (tmp_path / "python.yaml").write_text("execute: x\n")
    (tmp_path / "other.yaml").write_text(GOOD + "names: [python]\n")
    with pytest.raises(PackError, match=r"the pack of python is broken: .*python\.yaml:1: filename is missing"):
        language("Python", load_languages(tmp_path))


@pytest.mark.parametrize("key", sorted(READERS))
def test_value_of_any_shape_is_read_or_refused(key: str) -> None:
    """Whatever a key holds, the pack is read, or refused with a line and a reason; nothing else is raised."""
    for value in SHAPES:
        data = {"filename": "main.x", "execute": "x main.x", key: value}
        made = read_or_refused(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
        if isinstance(made, str):
            assert re.match(r"x\.yaml:[0-9]+: .", made)
        else:
            assert made.digest()
            assert made.command("execute")


def read_or_refused(text: str) -> Language | str:
    """The language, or why there is none."""
    try:
        return read_language(text, "x.yaml", "x")
    except TasklakeError as error:
        return str(error)
