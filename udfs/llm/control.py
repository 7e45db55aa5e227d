"""Small files beside the spool by which a run and its tasks know of each other: who works at what, and who may.

A run writes a fence with its name: a task that finds another's, or a fence that is closed, stops. Each attempt at a
partition writes a claim and renews it. Whoever takes a partition over watches the claim first: one that changes belongs
to somebody who is alive. No clock is compared with another machine's.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs

from tasklake.udfs.storage import bucket_system

# How often a claim is renewed and the fence looked at.
BEAT_S = 1.5
# A claim that has not changed for this long has no owner: three beats, one of them slow.
GONE_S = 6.0
FENCE = "fence.json"


@dataclass(frozen=True)
class Control:
    """The folder of these files: in a bucket, or local where that is empty."""

    bucket: str
    folder: str

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """The file holds the content; readers see all of it or what was there before."""
        data = json.dumps(content).encode()
        if self.bucket:
            with bucket_system(self.bucket).open_output_stream(f"{self.bucket}/{self.folder}/{name}") as stream:
                stream.write(data)
            return
        place = Path(self.folder)
        place.mkdir(parents=True, exist_ok=True)
        hidden = place / f".{name}.{uuid.uuid4().hex}"
        hidden.write_bytes(data)
        hidden.replace(place / name)

    def read(self, name: str) -> dict[str, Any]:
        """The content of the file, or nothing where there is none."""
        try:
            with self._system().open_input_stream(self._path(name)) as stream:
                content: dict[str, Any] = json.loads(bytes(stream.read()))
                return content
        except (FileNotFoundError, ValueError):
            return {}

    def names(self, prefix: str) -> list[str]:
        """The files whose names begin like this."""
        where = self._path("").rstrip("/")
        infos = self._system().get_file_info(pafs.FileSelector(where, allow_not_found=True))
        return sorted(info.base_name for info in infos if info.base_name.startswith(prefix))

    def clear(self) -> None:
        """No claim is left."""
        for name in self.names("claim-"):
            with contextlib.suppress(FileNotFoundError):
                self._system().delete_file(self._path(name))

    def open_fence(self, run: str) -> None:
        """Tasks of this run may work, and no others."""
        self.write(FENCE, {"run": run, "open": True})

    def close_fence(self, run: str) -> None:
        """Nobody may work."""
        self.write(FENCE, {"run": run, "open": False})

    def lets(self, run: str) -> bool:
        """True while tasks of this run may work."""
        fence = self.read(FENCE)
        return fence.get("run") == run and bool(fence.get("open"))

    def claims(self) -> dict[str, dict[str, Any]]:
        """Every claim by its file name."""
        return {name: self.read(name) for name in self.names("claim-")}

    def unowned(self, names: Iterable[str]) -> None:
        """Returns when each of the claims has ended or its owner is gone."""
        seen = {name: self.read(name) for name in names}
        since = dict.fromkeys(seen, time.monotonic())
        while any(claim and not claim.get("ended") for claim in seen.values()):
            time.sleep(BEAT_S / 2)
            for name in list(seen):
                now = self.read(name)
                if now != seen[name]:
                    seen[name], since[name] = now, time.monotonic()
                elif time.monotonic() - since[name] > GONE_S:
                    del seen[name]

    def _system(self) -> Any:
        return bucket_system(self.bucket) if self.bucket else pafs.LocalFileSystem()

    def _path(self, name: str) -> str:
        return f"{self.bucket}/{self.folder}/{name}" if self.bucket else f"{self.folder}/{name}"
