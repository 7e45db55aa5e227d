"""The one-writer lease of a lake: a small file with an expiry and a fencing number.

Open-source Delta on S3 has no commits by several drivers, so a lake has one writer at a time. A second writer waits or
is told who holds the lease. A lease is taken over at once when its holder is known to be dead on this machine, and
after its expiry otherwise; each holder has a higher fencing number and checks before every commit that it still holds.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tasklake.jobs.lake.uri import LakeError, LakeUri

# A holder that does not renew for this long is taken for dead: long enough for a stop-the-world pause or a slow object
# store, short enough that a killed job on another machine does not block the next schedule.
EXPIRY_S = 60.0
# Three renewals fit in one expiry, so that a single failed renewal loses nothing.
RENEW_S = 15.0
# How often a waiting writer looks again.
POLL_S = 1.0
# A record has some hundred bytes; whatever is longer is none.
MAX_RECORD = 64 * 1024
# The boot of a machine without /proc: nobody can tell there which processes live, so only the expiry counts.
UNKNOWN = "unknown"


TEXTS = ("owner", "host", "boot", "command")


class LeaseHeldError(LakeError):
    """Somebody else is writing to the lake."""


@dataclass(frozen=True)
class Holder:
    """Who writes, since when and until when unless renewed."""

    token: int
    owner: str
    host: str
    boot: str
    processes: tuple[tuple[int, str], ...]
    command: str
    expires: float

    def is_ending(self) -> bool:
        """True when the holder's own process died here and only what it started, such as its JVM, still has to end."""
        if not self.is_here() or not self.processes:
            return False
        pid, start = self.processes[0]
        return process_start(pid) != start

    def is_gone(self, now: float) -> bool:
        """True when the holder cannot write any more."""
        if not self.is_here():
            return now > self.expires
        alive = [process_start(pid) == start for pid, start in self.processes]
        # What a dead holder left behind is given until its lease runs out: nobody renews it any more.
        return not any(alive) or (not alive[0] and now > self.expires)

    def is_here(self) -> bool:
        """True when the holder runs, or ran, on this boot of this machine."""
        return self.host == socket.gethostname() and self.boot == boot_id() != UNKNOWN


def boot_id() -> str:
    """The identity of this boot of this machine and of our process namespace: process ids mean nothing beyond them."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return UNKNOWN


def process_start(pid: int) -> str | None:
    """When the process began, in kernel ticks, or None when it is gone: guards against reused process ids."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


class Lease:
    """The right to write to a lake, held between `__enter__` and `__exit__` and renewed meanwhile by a thread."""

    def __init__(
        self, lake: LakeUri, command: str, *, wait: bool = False, told: Callable[[str], None] = lambda _: None
    ):
        self.place = lake.child("_lease.json")
        self.cell = cell_at(self.place)
        # The record that was seen last and since when: a clock that is ahead of ours wrote its expiry.
        self.seen: tuple[str, float] = ("", 0.0)
        self.me = Holder(0, uuid.uuid4().hex, socket.gethostname(), boot_id(), (), command, 0.0)
        self.wait = wait
        self.told = told
        self.lost: str | None = None
        self.stopping = threading.Event()
        # Guards `me`: the renewing thread and the run both change and store it.
        self.guard = threading.Lock()
        self.renewer = threading.Thread(target=self._renew_forever, name="lease", daemon=True)
        self.add_process(os.getpid())

    def add_process(self, pid: int) -> None:
        """The lease is kept while this process lives, too: a driver's JVM may commit after its Python died."""
        with self.guard:
            self.me = replace(self.me, processes=(*self.me.processes, (pid, process_start(pid) or "")))
        if self.renewer.is_alive():
            # Stored now: a driver killed before the next renewal would leave a JVM that nobody knows of.
            self._renew()

    def __enter__(self) -> Lease:
        told = False
        while not self._try_take():
            holder = self._holder()
            if not self.wait and holder and not holder.is_ending():
                raise LeaseHeldError(
                    f"lake is being written by {describe(holder)}; wait for it with --wait, or stop it and run again "
                    f"(its lease is {self.place})"
                )
            if holder and not told:
                self.told(f"waiting for {describe(holder)}")
                told = True
            time.sleep(POLL_S)
        self.renewer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.renewer.join()
        # Where the storage cannot be reached the lease ends with this process or by its expiry, and what the caller has
        # to see is how the run itself ended.
        with contextlib.suppress(OSError, LakeError):
            content, mark = self.cell.read()
            if content and parse(content).owner == self.me.owner:
                # The token outlives the holder, so that the next one is higher: an expired record, not a deleted file.
                self.cell.replace(dump(replace(self.me, expires=0.0, processes=())), mark)

    def check(self) -> None:
        """Raises unless this process still is the writer: called before every commit."""
        # After a long pause, such as a suspended machine, the lease may have run out without anybody having noticed.
        if time.time() > self.me.expires:
            self._renew()
        content, _ = self.cell.read()
        if self.lost or content is None or parse(content).owner != self.me.owner:
            raise LeaseHeldError(
                f"this run lost its lease {self.place} to another writer; nothing more was written by it"
            )

    def _holder(self) -> Holder | None:
        content, _ = self.cell.read()
        holder = parse(content) if content else None
        return holder if holder and holder.processes else None

    def _try_take(self) -> bool:
        content, mark = self.cell.read()
        last = parse(content) if content else None
        if last and last.processes and not self._bounded(last, mark).is_gone(time.time()):
            return False
        self.me = replace(self.me, token=(last.token if last else 0) + 1, expires=time.time() + EXPIRY_S)
        return self.cell.replace(dump(self.me), mark)

    def _bounded(self, holder: Holder, mark: str) -> Holder:
        """The holder with an expiry that is no further off than any holder's may be, from when we first saw it."""
        if self.seen[0] != mark:
            self.seen = (mark, time.time())
        return replace(holder, expires=min(holder.expires, self.seen[1] + EXPIRY_S))

    def _renew(self) -> None:
        """The lease is good for another full term, or known to be lost."""
        with self.guard:
            content, mark = self.cell.read()
            if content is None or parse(content).owner != self.me.owner:
                self.lost = "taken over"
                return
            longer = replace(self.me, expires=time.time() + EXPIRY_S)
            if self.cell.replace(dump(longer), mark):
                self.me = longer

    def _renew_forever(self) -> None:
        pause = RENEW_S
        while not self.lost and not self.stopping.wait(pause):
            try:
                self._renew()
                pause = RENEW_S
            except (OSError, LakeError):
                # The storage may be back before the lease expires; nobody else can have taken it until then.
                pause = POLL_S


def describe(holder: Holder) -> str:
    """Who holds the lease, for people."""
    left = max(0, round(min(holder.expires - time.time(), EXPIRY_S)))
    pids = ", ".join(str(pid) for pid, _ in holder.processes)
    return f"`{holder.command}` (process {pids} on {holder.host}, lease good for {left} s more)"


def dump(holder: Holder) -> bytes:
    """The record as it lies in the lake."""
    return json.dumps(asdict(holder)).encode()


def parse(content: bytes) -> Holder:
    """The record read back; one that cannot be read counts as long expired."""
    try:
        data: dict[str, Any] = json.loads(content)
        data["processes"] = tuple((int(pid), str(start)) for pid, start in data["processes"])
        data |= {"token": int(data["token"]), "expires": float(data["expires"])}
        if not math.isfinite(data["expires"]) or not all(isinstance(data[name], str) for name in TEXTS):
            raise ValueError("not what a holder writes")
        return Holder(**data)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Holder(0, "unreadable", "", "", (), "unreadable lease", 0.0)


def _unfollowed(path: str, flags: int, more: int = 0) -> int:
    """A file descriptor of the path itself: a link there could lead a writer to somebody else's file."""
    return os.open(path, flags | more | os.O_NOFOLLOW, 0o666)


class LocalCell:
    """A file that is replaced only by whoever saw its latest content."""

    def __init__(self, path: Path):
        self.path = path

    def read(self) -> tuple[bytes | None, str]:
        """The content, or None, and a mark for `replace`."""
        try:
            # Never waits: a pipe may lie where the record should.
            with open(self.path, "rb", opener=partial(_unfollowed, more=os.O_NONBLOCK)) as file:
                content = file.read(MAX_RECORD)
        except FileNotFoundError:
            return None, ""
        return content, content.decode("utf-8", "replace")

    def replace(self, content: bytes, mark: str) -> bool:
        """True when the content was still as at `mark` and is `content` now."""
        import fcntl

        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.parent / "_lease.lock", "ab", opener=_unfollowed) as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if self.read()[1] != mark:
                return False
            fresh = self.path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
            fresh.unlink(missing_ok=True)
            with open(fresh, "xb", opener=_unfollowed) as file:
                file.write(content)
            fresh.replace(self.path)
            return True


class S3Cell:
    """An object that is replaced only by whoever saw its latest content, by conditional writes."""

    def __init__(self, bucket: str, key: str):
        import boto3

        self.client = boto3.client("s3")
        self.where = {"Bucket": bucket, "Key": key}

    def read(self) -> tuple[bytes | None, str]:
        """The content, or None, and a mark for `replace`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self.client.get_object(**self.where)
            return answer["Body"].read(MAX_RECORD), answer["ETag"]
        except self.client.exceptions.NoSuchKey:
            return None, ""
        except (BotoCoreError, ClientError) as error:
            raise self._failed(error) from error

    def replace(self, content: bytes, mark: str) -> bool:
        """True when the content was still as at `mark` and is `content` now."""
        from botocore.exceptions import BotoCoreError, ClientError

        condition = {"IfMatch": mark} if mark else {"IfNoneMatch": "*"}
        try:
            self.client.put_object(Body=content, **condition, **self.where)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("PreconditionFailed", "ConditionalRequestConflict"):
                return False
            raise self._failed(error) from error
        except BotoCoreError as error:
            raise self._failed(error) from error
        return True

    def _failed(self, error: Exception) -> LakeError:
        return LakeError(f"lease of s3://{self.where['Bucket']}/{self.where['Key']}: {error}")


def cell_at(place: LakeUri) -> LocalCell | S3Cell:
    """The cell that fits the storage."""
    return LocalCell(Path(place.path)) if place.is_local else S3Cell(place.bucket, place.path)
