"""The JARs of jars.lock lie verified in a cache folder, fetched once by the Ivy that pyspark carries.

Not for clusters: where the platform brings Spark and Delta, nothing is added to it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.resources
import importlib.util
import itertools
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from tasklake.jobs.config import load_settings
from tasklake.sandbox_exec.errors import TasklakeError

LOG = logging.getLogger(__name__)

# The S3 bundle has 640 MB: half an hour is what a slow line needs, and a silent one must end some time.
FETCH_SECONDS = 1800
# Reads large JARs without holding them in memory; larger chunks measured no faster.
CHUNK_BYTES = 1 << 20
LOCK_LINE = re.compile(r"(?P<group>[^\s:]+):(?P<name>[^\s:]+):(?P<version>[^\s:]+)\s+(?P<sha256>[0-9a-f]{64})")
SECTION = re.compile(r"\[(?P<spark>\d+\.\d+) (?P<purpose>[a-z0-9]+)\]")
# How Ivy words a host that does not exist, is down or does not answer.
UNREACHABLE = re.compile(r"Host \S+ not found|refused|timed out|unreachable|No route|PKIX|SSLHandshake", re.IGNORECASE)


class JarError(TasklakeError):
    """A JAR is neither in the cache nor to be had; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Jar:
    """One line of the lock: where the JAR comes from and what its bytes must be."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """The name under which the JAR lies in the cache, and in a Maven repository."""
        return f"{self.name}-{self.version}.jar"


def jars_for(spark_version: str, purposes: Collection[str], cache: Path, mirror: str | None = None) -> list[Path]:
    """The JARs that this Spark needs for these purposes lie in the cache, checksums right; missing were fetched."""
    return collect(locked_jars(spark_version, purposes), cache, mirror)


def locked_jars(spark_version: str, purposes: Collection[str]) -> list[Jar]:
    """The lines of jars.lock for this Spark and these purposes, in the order of the lock."""
    lock = read_lock(importlib.resources.files("tasklake.jobs").joinpath("jars.lock").read_text("utf-8"))
    spark = ".".join(spark_version.split(".")[:2])
    known = sorted({version for version, _ in lock})
    if spark not in known:
        raise JarError(f"jars.lock has no JARs for Spark {spark_version}: use pyspark {' or '.join(known)}")
    for purpose in purposes:
        if (spark, purpose) not in lock:
            offered = ", ".join(sorted(name for version, name in lock if version == spark))
            raise JarError(f"jars.lock has no purpose {purpose!r} for Spark {spark}: choose from {offered}")
    wanted = [jars for (version, purpose), jars in lock.items() if version == spark and purpose in purposes]
    return list(itertools.chain.from_iterable(wanted))


def read_lock(text: str) -> dict[tuple[str, str], list[Jar]]:
    """The lock by (Spark version, purpose); a line that is neither section, JAR nor comment is refused by number."""
    lock: dict[tuple[str, str], list[Jar]] = {}
    jars: list[Jar] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if section := SECTION.fullmatch(line):
            jars = lock.setdefault((section["spark"], section["purpose"]), [])
        elif (entry := LOCK_LINE.fullmatch(line)) and jars is not None:
            jars.append(Jar(**entry.groupdict()))
        else:
            raise JarError(f"jars.lock:{number}: expected [SPARK PURPOSE] or GROUP:NAME:VERSION SHA256, found {line!r}")
    return lock


def collect(jars: Sequence[Jar], cache: Path, mirror: str | None = None) -> list[Path]:
    """Each JAR lies in the cache with its checksum; neither network nor Java is touched when all of them did before."""
    missing = [jar for jar in jars if not _is_right(cache / jar.filename, jar)]
    if missing:
        LOG.info("fetching %d JARs into %s: %s", len(missing), cache, _names(missing))
        _fetch_into(missing, cache, mirror)
    return [cache / jar.filename for jar in jars]


def _is_right(path: Path, jar: Jar) -> bool:
    """Whether the cached file has the bytes of the lock; a file that has not is told, as it will be replaced."""
    try:
        right = _sha256(path) == jar.sha256
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _failure([jar], path.parent, f"{path} cannot be read ({error.strerror})") from error
    if not right:
        LOG.warning("%s is not the file that jars.lock names (damaged or incomplete)", path)
    return right


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _fetch_into(jars: Sequence[Jar], cache: Path, mirror: str | None) -> None:
    java, ivy = _java(jars, cache), _ivy(jars, cache)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # Inside the cache, so that the move at the end is a rename: whoever looks sees all of a JAR or nothing, and of
        # two fetchers at the same time the later one replaces equal bytes.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as folder:
            output = _run_ivy([java, "-jar", str(ivy)], jars, Path(folder), mirror, cache)
            for jar in jars:
                _check_fetched(jar, jars, Path(folder), cache, output).replace(cache / jar.filename)
    except OSError as error:
        raise _failure(jars, cache, f"{error.filename or cache} cannot be written ({error.strerror})") from error


def _run_ivy(command: list[str], jars: Sequence[Jar], folder: Path, mirror: str | None, cache: Path) -> str:
    (folder / "ivy.xml").write_text(_ivy_module(jars), "utf-8")
    # Verbose: without it Ivy does not tell a refused connection from a JAR that the repository lacks.
    command += ["-verbose", "-ivy", str(folder / "ivy.xml"), "-cache", str(folder)]
    if mirror is not None:
        (folder / "settings.xml").write_text(_ivy_settings(mirror), "utf-8")
        command += ["-settings", str(folder / "settings.xml")]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failure(jars, cache, f"the download did not end within {FETCH_SECONDS} s") from error
    return done.stdout.decode("utf-8", "replace")


def _check_fetched(jar: Jar, jars: Sequence[Jar], folder: Path, cache: Path, output: str) -> Path:
    """The fetched JAR's path, once its bytes are those of the lock."""
    found = next(folder.rglob(jar.filename), None)
    if found is None:
        unreachable = UNREACHABLE.search(output)
        reason = "the repository cannot be reached" if unreachable else f"the repository lacks {jar.filename}"
        raise _failure(jars, cache, reason)
    if (actual := _sha256(found)) != jar.sha256:
        raise _failure([jar], cache, f"the repository's copy has checksum {actual}, jars.lock says {jar.sha256}")
    return found


def _failure(jars: Iterable[Jar], cache: Path, reason: str) -> JarError:
    return JarError(
        f"Cannot fetch {_names(jars)}: {reason}; set TASKLAKE_JAR_MIRROR to a Maven repository that has them, or copy "
        f"the files into {cache}."
    )


def _names(jars: Iterable[Jar]) -> str:
    return ", ".join(jar.filename for jar in jars)


def _java(jars: Sequence[Jar], cache: Path) -> str:
    java = shutil.which("java")
    if java is None:
        raise _failure(jars, cache, "there is no java on the PATH (install Java 17)")
    return java


def _ivy(jars: Sequence[Jar], cache: Path) -> Path:
    spec = importlib.util.find_spec("pyspark")
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(folder, "jars").glob("ivy-*.jar")):
            return path
    raise _failure(jars, cache, "pyspark, which carries the downloader, is missing (pip install 'tasklake[local]')")


def _ivy_module(jars: Iterable[Jar]) -> str:
    """An Ivy module that asks for exactly these JARs: transitive ones would be duplicates of Spark's own."""
    wanted = "\n".join(
        f"<dependency org={quoteattr(jar.group)} name={quoteattr(jar.name)} rev={quoteattr(jar.version)} "
        'transitive="false" conf="default->master"/>'
        for jar in jars
    )
    return (
        '<ivy-module version="2.0"><info organisation="tasklake" module="jars"/>\n'
        '<configurations><conf name="default"/></configurations>\n'
        f"<dependencies>\n{wanted}\n</dependencies></ivy-module>\n"
    )


def _ivy_settings(mirror: str) -> str:
    """Ivy settings under which the mirror is the only repository."""
    return (
        '<ivysettings><settings defaultResolver="mirror"/><resolvers>'
        f'<ibiblio name="mirror" m2compatible="true" root={quoteattr(mirror)}/></resolvers></ivysettings>\n'
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The JARs of the named purposes lie in the cache of this machine's settings: 0, or 1 after a sentence why not."""
    parser = argparse.ArgumentParser(prog="python -m tasklake.jobs.jars", description=main.__doc__)
    parser.add_argument("purposes", nargs="*", default=["delta"], help="delta (the default), s3")
    purposes = parser.parse_args(arguments).purposes
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        settings = load_settings()
        jars_for(_installed_spark(), purposes, settings.jar_cache, settings.jar_mirror)
    except TasklakeError as error:
        LOG.error("%s", error)  # one sentence: a stack trace would hide it
        return 1
    return 0


def _installed_spark() -> str:
    try:
        return importlib.metadata.version("pyspark")
    except importlib.metadata.PackageNotFoundError as error:
        raise JarError("pyspark is not installed here: pip install 'tasklake[local]'") from error


if __name__ == "__main__":
    sys.exit(main())
