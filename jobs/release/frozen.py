"""A frozen copy read back: as many rows as its release says, or a refusal that names what is damaged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasklake.jobs.lake import LakeError, LakeUri

# What `freeze` writes. A lake may come from strangers: nothing else in its table may become part of a path.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
PATH = "releases/{name}/v{version}-{digest:.12}"
DIGEST = re.compile(r"[0-9a-f]{64}")


class Frozen:
    """The frozen copy of one row of the table `releases`."""

    def __init__(self, lake: LakeUri, row: Mapping[str, Any]):
        self.row = row
        self.name = f"{row['name']}@{row['version']}"
        shaped = NAME.fullmatch(str(row["name"])) and DIGEST.fullmatch(str(row["digest"]))
        if not shaped or not isinstance(row["version"], int) or row["path"] != PATH.format(**row):
            raise LakeError(
                f"release {self.name} of {lake} lies at {row['path']}, where no release is put; the row is not ours"
            )
        self.place = lake.child(*row["path"].split("/"))

    def damaged(self, what: str) -> LakeError:
        """What is said of a copy that is not whole."""
        return LakeError(
            f"release {self.name} is damaged: {' '.join(what.split())}, in {self.place}; restore that folder from a "
            "copy of the lake. Nothing was exported"
        )

    def manifest(self) -> bytes:
        """The manifest as it was written, which is that of this release."""
        try:
            data = self.place.child("manifest.json").read_bytes()
            told = json.loads(data)
        except (OSError, ValueError, RecursionError) as error:
            raise self.damaged(f"manifest.json cannot be read ({error})") from None
        if not isinstance(told, dict) or told.get("digest") != self.row["digest"]:
            raise self.damaged("manifest.json is not that of this release")
        return data

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """All tasks or all samples."""
        tables = [self._table(file) for file in self.place.child(kind).files(".parquet")]
        try:
            found: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist() if tables else []
        except (pa.ArrowException, ValueError) as error:
            raise self.damaged(f"{kind} cannot be put together ({error})") from None
        if len(found) != self.row[kind]:
            raise self.damaged(f"{kind} has {len(found):,} rows where the release has {self.row[kind]:,}")
        return found

    def _table(self, file: LakeUri) -> pa.Table:
        system, path = file.filesystem()
        try:
            return pq.read_table(path, filesystem=system)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self.damaged(f"{file.path.rsplit('/', 1)[-1]} cannot be read ({error})") from None
