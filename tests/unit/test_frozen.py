"""A release is exported whole or not at all, and a lake from strangers leads nowhere but into itself."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from tasklake.jobs.config import load_settings
from tasklake.jobs.lake import LakeError
from tasklake.jobs.release import export

DIGEST = "ab" * 32
CASES = [{"ordinal": 0, "input": "1\n", "output": "2\n"}]
TEXT = {"statement": "Add one.", "input_format": "n", "output_format": "n", "checker": "lines", "licence": "CC0-1.0"}
TASKS = [{"task_id": name, "cases": CASES, **TEXT} for name in ("t1", "t2")]
OWN = {"source": "ours", "source_id": "1", "language": "lua", "program": "x", "verdict": "accepted", "model": "us"}
SAMPLES = [{"sample_id": f"s{n}", "task_id": "t1", **OWN} for n in range(3)]


def release(**more: Any) -> dict[str, Any]:
    """A row of the table `releases`."""
    row = {"name": "demo", "version": 1, "digest": DIGEST, "tasks": 2, "samples": 3, **more}
    return {"path": f"releases/{row['name']}/v{row['version']}-{DIGEST[:12]}", **row}


def a_lake(folder: Path, **more: Any) -> Path:
    """A lake with one frozen release, written without Spark."""
    row = release(**more)
    write_deltalake(str(folder / "tables" / "releases"), pa.Table.from_pylist([row]))
    place = folder / "releases" / "demo" / f"v1-{DIGEST[:12]}"
    for kind, rows in (("tasks", TASKS), ("samples", SAMPLES)):
        (place / kind).mkdir(parents=True)
        for number, each in enumerate(rows):
            pq.write_table(pa.Table.from_pylist([each]), place / kind / f"part-{number}.parquet")
    (place / "manifest.json").write_text(json.dumps({"digest": DIGEST}))
    return place


def exported(folder: Path, format: str = "jsonl") -> dict[str, Any]:
    return export(load_settings(lake=str(folder)), "demo@1", format, folder / "out")


def test_each_format_has_a_file_and_a_manifest_of_its_own(tmp_path):
    """Two exports into one folder leave four files: none is written over another."""
    place = a_lake(tmp_path)
    told = [exported(tmp_path, format) for format in ("jsonl", "grpo")]
    assert [row["rows"] for row in told] == [3, 2]
    files = {Path(row[name]) for row in told for name in ("file", "manifest")}
    assert files == set((tmp_path / "out").iterdir())
    assert len(files) == 4
    for row in told:
        assert Path(row["manifest"]).read_bytes() == (place / "manifest.json").read_bytes()


DAMAGES = {
    "a missing file": lambda place: (place / "samples" / "part-1.parquet").unlink(),
    "a missing folder": lambda place: shutil.rmtree(place / "tasks"),
    "a cut file": lambda place: os.truncate(place / "tasks" / "part-0.parquet", 50),
    "no parquet": lambda place: (place / "tasks" / "part-0.parquet").write_text("x"),
    "other columns": lambda place: pq.write_table(pa.table({"a": [1]}), place / "tasks" / "part-0.parquet"),
    "rows of another": lambda place: pq.write_table(
        pa.Table.from_pylist([{"task_id": "t9", "cases": CASES, **TEXT}]), place / "tasks" / "part-0.parquet"
    ),
    "no manifest": lambda place: (place / "manifest.json").unlink(),
    "a cut manifest": lambda place: (place / "manifest.json").write_text("{"),
    "the manifest of another": lambda place: (place / "manifest.json").write_text('{"digest": "x"}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_release_is_refused_and_writes_nothing(damage, tmp_path):
    """The refusal says what is wrong, where, and what to do; no short file is left for a trainer to take as whole."""
    place = a_lake(tmp_path)
    DAMAGES[damage](place)
    with pytest.raises(LakeError, match=r"release demo@1 is damaged: .*; restore that folder") as refused:
        exported(tmp_path)
    assert str(place) in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_an_export_that_fails_leaves_the_one_before(tmp_path):
    """What was exported yesterday stays until today's is whole."""
    place = a_lake(tmp_path)
    before = Path(exported(tmp_path)["file"]).read_bytes()
    (place / "samples" / "part-1.parquet").unlink()
    with pytest.raises(LakeError):
        exported(tmp_path)
    assert Path(tmp_path / "out" / "demo-v1.jsonl.jsonl").read_bytes() == before
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize(
    "row",
    [
        {"path": "../../etc"},
        {"path": "releases/demo/../../../etc"},
        {"path": "/etc"},
        {"digest": "../../x"},
        {"path": f"releases/demo/v2-{DIGEST[:12]}"},
    ],
    ids=str,
)
def test_a_release_that_lies_elsewhere_is_refused(row, tmp_path):
    """A row of the table decides neither what is read nor where something is written."""
    a_lake(tmp_path, **row)
    with pytest.raises(LakeError, match="where no release is put"):
        exported(tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_release_with_a_path_for_a_name_is_refused(tmp_path):
    """Its name would become part of the file's."""
    a_lake(tmp_path, name="../demo", path=f"releases/../demo/v1-{DIGEST[:12]}")
    with pytest.raises(LakeError, match="where no release is put"):
        export(load_settings(lake=str(tmp_path)), "../demo", "jsonl", tmp_path / "out")
    assert not (tmp_path / "out").exists()
