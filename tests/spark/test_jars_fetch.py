"""Missing JARs are fetched by the Ivy that pyspark carries, from a repository laid out in a folder."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasklake.jobs.jars import Jar, JarError, collect

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed"),
]

POM = (
    "<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId>"
    "<artifactId>{name}</artifactId><version>1.0</version></project>"
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A Maven repository with two small files for JARs."""
    for name in ("one", "two"):
        folder = tmp_path / "repository" / "org" / "example" / name / "1.0"
        folder.mkdir(parents=True)
        (folder / f"{name}-1.0.jar").write_bytes(name.encode())
        (folder / f"{name}-1.0.pom").write_text(POM.format(name=name), "utf-8")
    return tmp_path / "repository"


def jar(name: str, content: str | None = None) -> Jar:
    return Jar("org.example", name, "1.0", hashlib.sha256((content or name).encode()).hexdigest())


def test_missing_jars_come_from_the_mirror_once(tmp_path: Path, repository: Path) -> None:
    """What is missing is fetched, what is damaged replaced, and the second time the mirror is not needed."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "two-1.0.jar").write_text("tw", "utf-8")
    paths = collect([jar("one"), jar("two")], cache, repository.as_uri())
    assert [path.read_text("utf-8") for path in paths] == ["one", "two"]
    shutil.rmtree(repository)
    assert collect([jar("one"), jar("two")], cache, repository.as_uri()) == paths
    assert sorted(path.name for path in cache.iterdir()) == ["one-1.0.jar", "two-1.0.jar"]


def test_fetchers_at_the_same_time_do_not_disturb_each_other(tmp_path: Path, repository: Path) -> None:
    """Four fetchers into one cache all succeed and leave only the JARs."""
    cache = tmp_path / "cache"
    jars = [jar("one"), jar("two")]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: collect(jars, cache, repository.as_uri()), range(4)))
    assert all(each == found[0] for each in found)
    assert sorted(path.name for path in cache.iterdir()) == ["one-1.0.jar", "two-1.0.jar"]


@pytest.mark.parametrize(
    ("wanted", "mirror", "reason"),
    [
        (jar("one", "other bytes"), None, "the repository's copy has checksum"),
        (jar("three"), None, "the repository lacks three-1.0.jar"),
        (jar("one"), "http://127.0.0.1:9/maven", "the repository cannot be reached"),
    ],
)
def test_failure_is_one_sentence(
    tmp_path: Path, repository: Path, wanted: Jar, mirror: str | None, reason: str
) -> None:
    """What could not be fetched, why and what to do are told; the cache stays empty."""
    cache = tmp_path / "cache"
    with pytest.raises(JarError) as caught:
        collect([wanted], cache, mirror or repository.as_uri())
    message = str(caught.value)
    assert message.startswith(f"Cannot fetch {wanted.filename}: {reason}")
    assert "\n" not in message
    assert not list(cache.iterdir())
