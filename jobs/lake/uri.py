"""Where a lake lies, spelled as each of its readers wants it: Spark, pyarrow and deltalake."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.fs as pafs

from tasklake.jobs.config import UsageError
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.udfs.storage import bucket_system

# The schemes whose storage we can lease; others would let two writers in.
S3_SCHEMES = ("s3", "s3a", "s3n")
# What begins like a URI; what follows is taken as it is, for keys of objects and names of files may hold # and ?.
SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<slashes>//)?(?P<rest>.*)", re.DOTALL)
ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
# What stores accept as the name of a bucket, those of former years included.
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class LakeError(TasklakeError):
    """A lake or one of its tables is missing, held by somebody else, or not as the code expects it."""


class NoLakeError(LakeError, UsageError):
    """What was given as a lake is none, or cannot be one: the command was used wrongly."""


@dataclass(frozen=True)
class LakeUri:
    """The root of a lake: a folder on this machine or a prefix in a bucket."""

    bucket: str
    path: str

    @classmethod
    def parse(cls, text: str) -> LakeUri:
        """Yields the root that a user means by a path or a URI; refuses what cannot be leased or read."""
        found = cls.place(text)
        if ESCAPED.search(found.path):
            raise NoLakeError(
                f"{text}: deltalake takes a % before two hexadecimal digits for another character; rename the folder"
            )
        return found

    @classmethod
    def place(cls, text: str) -> LakeUri:
        """Yields where a path or a URI leads: a lake, or a corpus."""
        found = SCHEME.fullmatch(text)
        scheme = found["scheme"].lower() if found else ""
        if found and scheme in S3_SCHEMES:
            bucket, _, key = found["rest"].partition("/")
            if not found["slashes"] or not BUCKET.fullmatch(bucket):
                raise NoLakeError(f"{text} names no bucket; write s3://BUCKET/PREFIX")
            return cls(bucket, key.strip("/"))
        if found and scheme == "file":
            return cls("", _local(text, (found["slashes"] or "") + found["rest"]))
        if found and found["slashes"]:
            raise NoLakeError(f"{text}: scheme {scheme}:// is not supported; give a path, a file:// or an s3:// URI")
        return cls("", str(Path(text).expanduser().absolute()))

    @property
    def is_local(self) -> bool:
        """True for a folder on this machine."""
        return not self.bucket

    def child(self, *names: str) -> LakeUri:
        """Yields a place below this one."""
        return LakeUri(self.bucket, "/".join([self.path.rstrip("/"), *names]).lstrip("/" if self.bucket else ""))

    def uri(self) -> str:
        """The spelling that readers take who know URIs alone: a path may hold what means something in them."""
        return Path(self.path).as_uri() if self.is_local else str(self)

    def spark(self) -> str:
        """The spelling that Spark reads."""
        return self.path if self.is_local else f"s3a://{self.bucket}/{self.path}"

    def literal(self) -> str:
        """The spelling in which Spark reads this very place: a reader of files takes brackets and stars for a glob."""
        return re.sub(r"([][{}*?\\])", r"\\\1", self.spark())

    def __str__(self) -> str:
        return self.path if self.is_local else f"s3://{self.bucket}/{self.path}"

    def filesystem(self) -> tuple[Any, str]:
        """The pyarrow file system and the path in it."""
        if self.is_local:
            return pafs.LocalFileSystem(), self.path
        return bucket_system(self.bucket), f"{self.bucket}/{self.path}"

    def exists(self) -> bool:
        """True when a folder or an object prefix is there."""
        system, path = self.filesystem()
        found = system.get_file_info(path).type != pafs.FileType.NotFound
        return found or (not self.is_local and bool(self.files()))

    def files(self, suffix: str = "") -> list[LakeUri]:
        """Every file below, hidden ones left out."""
        system, path = self.filesystem()
        infos = system.get_file_info(pafs.FileSelector(path, recursive=True, allow_not_found=True))
        names = [i.path for i in infos if i.type == pafs.FileType.File and i.path.endswith(suffix)]
        visible = sorted(n for n in names if not n.rsplit("/", 1)[-1].startswith(("_", ".")))
        return [LakeUri(self.bucket, n.removeprefix(f"{self.bucket}/") if self.bucket else n) for n in visible]

    def read_bytes(self) -> bytes:
        """The content of the file."""
        system, path = self.filesystem()
        with system.open_input_stream(path) as stream:
            return bytes(stream.read())

    def write_bytes(self, data: bytes) -> None:
        """The file holds `data` and nothing else, its folders made on the way."""
        system, path = self.filesystem()
        if self.is_local:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        with system.open_output_stream(path) as stream:
            stream.write(data)

    def remove(self) -> None:
        """Nothing is left of the folder or prefix; fine when it was not there."""
        system, path = self.filesystem()
        if system.get_file_info(path).type == pafs.FileType.Directory:
            system.delete_dir(path)
        for left in self.files():
            left_system, left_path = left.filesystem()
            left_system.delete_file(left_path)


def _local(text: str, rest: str) -> str:
    """The path of a file URI."""
    host, slash, path = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest)
    if host not in ("", "localhost") or not (slash + path).startswith("/"):
        raise NoLakeError(f"{text} names no folder of this machine; write file:///FOLDER or a plain path")
    return str(Path(unquote(slash + path)).absolute())


def existing(lake: str) -> LakeUri:
    """The root of a lake that has tables."""
    root = LakeUri.parse(lake)
    if not root.child("tables").exists():
        raise NoLakeError(
            f"{lake} holds no lake yet; name another with --dir, or make one with `tasklake demo --dir {lake}` or "
            "`tasklake run RECIPE`"
        )
    return root
