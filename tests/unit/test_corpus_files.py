"""Where a corpus lies: a file, a folder, a glob or a URI, each name taken as a person means it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklake.jobs.corpus import CorpusError, files_at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files with all kinds of names."""
    names = ("corpus [v1].jsonl", "corpus v.jsonl", "LOUD.JSONL", "twice.jsonl.jsonl", "deep/a.Parquet", "notes.txt")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    (tmp_path / "folder.jsonl").mkdir()
    return tmp_path


def names(place: str | Path, folder: Path) -> list[str]:
    return [str(Path(name).relative_to(folder)) for name, *_ in files_at(str(place))]


def test_a_name_with_brackets_is_that_of_the_file(folder):
    """A path that is there is meant as it stands; only one that is not is a pattern."""
    assert names(folder / "corpus [v1].jsonl", folder) == ["corpus [v1].jsonl"]
    assert names(folder / "corpus [a-z].jsonl", folder) == ["corpus v.jsonl"]


def test_a_folder_gives_its_files_in_any_capitals(folder):
    """Formats are told by the ending of the name; a folder that is called like a file is none."""
    found = ["LOUD.JSONL", "corpus [v1].jsonl", "corpus v.jsonl", "deep/a.Parquet", "twice.jsonl.jsonl"]
    assert names(folder, folder) == found
    assert names(folder / "*.jsonl", folder) == ["corpus [v1].jsonl", "corpus v.jsonl", "twice.jsonl.jsonl"]


def test_a_file_uri_is_read_as_uris_are(folder):
    """Blanks and brackets are spelled in percent signs there."""
    assert names((folder / "corpus [v1].jsonl").as_uri(), folder) == ["corpus [v1].jsonl"]


def test_what_is_not_there_is_told(folder):
    """Neither a file nor a pattern that any file fits."""
    for place in ("nothing.jsonl", "*.nothing"):
        with pytest.raises(CorpusError, match="no such file"):
            files_at(str(folder / place))
