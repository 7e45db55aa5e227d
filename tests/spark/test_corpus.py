"""Files of a corpus: what cannot be read ends the run or, where that is allowed, withdraws nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tasklake.jobs.config import load_settings
from tasklake.jobs.corpus import CorpusError
from tasklake.jobs.lake import Lake, LakeUri, look
from tasklake.jobs.recipe import load_recipe
from tasklake.jobs.runner import run

pytestmark = pytest.mark.spark


def row(number: int, **more: Any) -> dict[str, Any]:
    """A problem of its own."""
    fixed = {"task_id": number, "text": f"Add {number}.", "code": f"def f(a):\n    return a + {number}\n"}
    return {**fixed, "test_list": [f"assert f(1) == {number + 1}"], **more}


def write(file: Path, *rows: dict[str, Any], cut: int = 0) -> None:
    """The rows lie in the file, gzipped, and its last bytes are missing."""
    data = gzip.compress("".join(json.dumps(each) + "\n" for each in rows).encode(), mtime=0)
    file.write_bytes(data[: len(data) - cut])


class Corpus:
    """A folder of files and the lake that they are read into."""

    def __init__(self, folder: Path):
        self.folder = folder / "corpus"
        self.folder.mkdir()
        self.lake = str(folder / "lake")

    def read(self, **more: Any) -> None:
        """The first stage is done."""
        changes = [f"source.{name}={value}" for name, value in more.items()]
        recipe = load_recipe("mbpp-rules", [f"source.path={self.folder}", *changes])
        run(recipe, load_settings(lake=self.lake, session="existing"), until="ingest")

    def current(self) -> set[tuple[str, str]]:
        """Identity and text of each current problem."""
        rows = look.query(self.lake, "SELECT source_id, statement FROM problems WHERE current").to_pylist()
        return {(each["source_id"], each["statement"]) for each in rows}

    def refused(self) -> list[tuple[str, str]]:
        """Reason and place of each current reject."""
        rows = look.query(self.lake, "SELECT reason, location FROM rejects WHERE current").to_pylist()
        return sorted((each["reason"], Path(each["location"]).name) for each in rows)


@pytest.fixture
def corpus(spark, tmp_path: Path) -> Corpus:
    """Two files with two problems each, read."""
    made = Corpus(tmp_path)
    write(made.folder / "a.jsonl.gz", row(1), row(2))
    write(made.folder / "b.jsonl.gz", row(3), row(4))
    made.read()
    return made


def test_a_file_that_cannot_be_read_ends_the_run_and_changes_nothing(spark, corpus):
    """An upload that broke off is told with its name and what is wrong; no problem leaves, none is changed."""
    before, versions = corpus.current(), Lake(spark, LakeUri.parse(corpus.lake)).versions()
    write(corpus.folder / "a.jsonl.gz", row(1, text="Another text."), row(2), cut=12)
    with pytest.raises(
        CorpusError, match=r"source mbpp cannot be read: .*a\.jsonl\.gz: .*; nothing was changed\. Mend"
    ):
        corpus.read()
    after = Lake(spark, LakeUri.parse(corpus.lake)).versions()
    assert {table for table in after if after[table] != versions[table]} == {"runs"}
    assert corpus.current() == before


def test_an_unreadable_file_that_is_allowed_withdraws_nothing(corpus):
    """It is one reject; what else was read counts, an edit too, and what was not seen stays until it can be read."""
    write(corpus.folder / "a.jsonl.gz", row(1), row(2), cut=30)
    write(corpus.folder / "b.jsonl.gz", row(3, text="Another text."), row(5))
    corpus.read(allow_unreadable="true")
    unchanged = {("1", "Add 1."), ("2", "Add 2."), ("4", "Add 4.")}
    assert corpus.current() == {*unchanged, ("3", "Another text."), ("5", "Add 5.")}
    assert corpus.refused() == [("unreadable_file", "a.jsonl.gz:0")]
    write(corpus.folder / "a.jsonl.gz", row(1))
    corpus.read(allow_unreadable="true")
    assert corpus.current() == {("1", "Add 1."), ("3", "Another text."), ("5", "Add 5.")}
    assert corpus.refused() == []


def test_an_unreadable_file_of_solutions_is_never_allowed(spark, tmp_path):
    """Its problems would be others without their solutions, and lose their oracles."""
    (tmp_path / "problems.jsonl").write_text("{}\n")
    write(tmp_path / "solutions.jsonl.gz", {"id": "1", "generation": "x"}, cut=12)
    text = f"""
name: ours
source:
  source: codeforces
  path: {tmp_path}/problems.jsonl
  solutions_path: {tmp_path}/solutions.jsonl.gz
  allow_unreadable: true
stages: [ingest]
"""
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(CorpusError, match=r"solutions\.jsonl\.gz"):
        run(load_recipe(str(tmp_path / "recipe.yaml")), load_settings(lake=str(tmp_path / "lake"), session="existing"))


def test_a_row_that_cannot_be_converted_is_a_reject_beside_its_neighbours(spark, tmp_path):
    """A Parquet corpus with bytes that are no text loses that row alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = Corpus(tmp_path)
    rows = [row(number) for number in range(100)]
    texts = pa.array([f"Add {n}.".encode() if n != 50 else b"\xff" for n in range(100)], pa.binary())
    table = pa.Table.from_pylist(rows)
    table = table.set_column(1, "text", pa.StringArray.from_buffers(100, *texts.buffers()[1:]))
    pq.write_table(table, made.folder / "a.parquet")
    made.read(revision="ours")
    assert len(made.current()) == 99
    assert made.refused() == [("bad_utf8", "a.parquet:51")]
    assert look.query(made.lake, "SELECT DISTINCT revision FROM problems").to_pylist() == [{"revision": "ours"}]
