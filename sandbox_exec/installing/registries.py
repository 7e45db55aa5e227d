"""Packages of pip, npm, Go, Cargo and Maven: each by its ordinary client, into a folder, with exact versions."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

from tasklake.sandbox_exec.installing.tools import InstallError, Tell, ran
from tasklake.sandbox_exec.languages import SEARCH_PATH

# The interpreter that a box has under this name, in its script's first line.
PYTHON = "/usr/bin/python3"
POM = """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tasklake</groupId><artifactId>toolchain</artifactId><version>1</version>
  <dependencies>{}</dependencies>
</project>
"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def pip(packages: Sequence[str], folder: Path, tell: Tell) -> None:
    """Modules in lib/python, scripts in bin; wheels alone, for nothing of a package is executed here."""
    python = shutil.which("python3", path=SEARCH_PATH) or sys.executable
    version = ran([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])[0]
    target = folder / "lib" / "python"
    options = ["--disable-pip-version-check", "--no-input", "--no-compile", "--only-binary=:all:", "--progress-bar=off"]
    argv = [sys.executable, "-m", "pip", "install", *options, f"--python-version={version}", f"--target={target}"]
    ran([*argv, "--", *packages], tell)
    for script in sorted((target / "bin").glob("*")):
        text = script.read_bytes()
        if text.startswith(b"#!"):
            script.write_bytes(f"#!{PYTHON}\n".encode() + text.partition(b"\n")[2])
        (folder / "bin").mkdir(exist_ok=True)
        script.rename(folder / "bin" / script.name)


def npm(packages: Sequence[str], folder: Path, tell: Tell) -> None:
    """Packages in lib/node_modules, their commands linked in bin; their install scripts do not run."""
    options = ["--global", f"--prefix={folder}", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    ran([_client("npm"), "install", *options, "--", *packages], tell)


def go(packages: Sequence[str], folder: Path, tell: Tell) -> None:
    """Commands in bin, built by whatever Go there is."""
    with _scratch() as scratch:
        places = {"GOBIN": folder / "bin", "GOPATH": scratch / "go", "GOCACHE": scratch / "cache"}
        fixed = {"GOFLAGS": "-trimpath -modcacherw", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        variables = [f"{name}={value}" for name, value in {**places, **fixed}.items()]
        for package in packages:
            ran(["env", *variables, _client("go"), "install", package], tell)


def cargo(packages: Sequence[str], folder: Path, tell: Tell) -> None:
    """Commands in bin, with the dependencies that their authors have locked."""
    with _scratch() as scratch:
        for package in packages:
            argv = [_client("cargo"), "install", "--locked", "--no-track", f"--root={folder}", package]
            ran(["env", f"CARGO_TARGET_DIR={scratch}", *argv], tell)


def maven(packages: Sequence[str], folder: Path, tell: Tell) -> None:
    """JARs with all that they depend on at run time, flat in lib."""
    entries = "".join(DEPENDENCY.format(*map(escape, each.split(":"))) for each in packages)
    with _scratch() as scratch:
        (scratch / "pom.xml").write_text(POM.format(entries), "utf-8")
        options = ["--batch-mode", "--no-transfer-progress", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        ran([_client("mvn"), *options, f"-DoutputDirectory={folder / 'lib'}"], tell, folder=str(scratch))


REGISTRIES: dict[str, Callable[[Sequence[str], Path, Tell], None]] = {
    "pip": pip, "npm": npm, "go": go, "cargo": cargo, "maven": maven,
}  # fmt: skip


def _client(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise InstallError(f"the command {name} is not installed; name its package among the pack's `debian` ones")
    return found


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tasklake-install-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o700)
        yield Path(folder)
