"""Packages of pip, npm, Go, Cargo and Maven: each by its ordinary client, into a folder, with exact versions."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import escape

from tasklake.sandbox_exec.installing import sources
from tasklake.sandbox_exec.installing.tools import InstallError, Tell, environment, ran
from tasklake.sandbox_exec.languages import SEARCH_PATH, Install, resolved
from tasklake.sandbox_exec.limits import BUILD

# The interpreter that a box has under this name, in its script's first line.
PYTHON = "/usr/bin/python3"
POM = """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tasklake</groupId><artifactId>toolchain</artifactId><version>1</version>
  <dependencies>{}</dependencies>
</project>
"""
# What a crate needs lies beside it, and nothing is reached in a box.
VENDORED = """[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "vendor"
"""
INSTALL_CRATE = 'cargo install --offline --locked --no-track --path . --root "$PREFIX"'
# A crate is built with all that it depends on, which takes minutes.
CRATES = replace(BUILD, cpu_s=600.0)
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def pip(packages: Sequence[str], folder: Path, tell: Tell) -> None:
    """Modules in lib/python, scripts in bin; wheels alone, for nothing of a package is executed here."""
    python = shutil.which("python3", path=SEARCH_PATH) or sys.executable
    version = ran([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])[0]
    target = folder / "lib" / "python"
    options = ["--disable-pip-version-check", "--no-input", "--no-compile", "--only-binary=:all:", "--progress-bar=off"]
    argv = [_client("pip3"), "install", *options, f"--python-version={version}", f"--target={target}"]
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
    """Commands in bin, built by whatever Go there is, which executes nothing of them meanwhile."""
    with _scratch() as scratch:
        places = {"GOBIN": str(folder / "bin"), "GOPATH": str(scratch / "go"), "GOCACHE": str(scratch / "cache")}
        fixed = {"GOFLAGS": "-trimpath -modcacherw", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        for package in packages:
            ran([_client("go"), "install", package], tell, variables={**places, **fixed})


def cargo(packages: Sequence[str], folder: Path, tell: Tell) -> None:
    """Commands in bin, with what their authors have locked: fetched here, built in a box, as that runs programs."""
    # What rustup has under these names needs settings of its own, which no box has.
    program, show = resolved(f"{ran([_client('rustc'), '--print', 'sysroot'])[-1]}/bin/cargo")
    steps = [
        f"export PATH={shlex.quote(os.path.dirname(program))}:$PATH CARGO_TARGET_DIR=$TMPDIR/target",
        INSTALL_CRATE,
    ]
    for package in packages:
        with _scratch() as scratch:
            crate = _crate(package, scratch)
            options = ["--respect-source-config", f"--manifest-path={crate}/Cargo.toml"]
            ran([_client("cargo"), "vendor", *options, f"{crate}/vendor"], tell, folder="/")
            (crate / ".cargo").mkdir(exist_ok=True)
            (crate / ".cargo" / "config.toml").write_text(VENDORED, "utf-8")
            tell(f"building {package}")
            sources.build(sources.read(crate), steps, folder, show, CRATES)


def _crate(package: str, scratch: Path) -> Path:
    """What the authors of the crate have published, with the versions that they have locked."""
    # Asked for a feature that it lacks, the crate is fetched and not built.
    argv = [_client("cargo"), "install", "--locked", "--features=none-such", f"--root={scratch}", package]
    try:
        # In no folder where others may have put settings.
        ran(argv, folder="/", variables={"CARGO_TARGET_DIR": str(scratch / "target")})
    except InstallError:
        home = Path(environment().get("CARGO_HOME", "~/.cargo")).expanduser()
        for found in home.glob(f"registry/src/*/{package.replace('@', '-')}"):
            made = shutil.copytree(found, scratch / "crate")
            with (made / "Cargo.toml").open("a", encoding="utf-8") as manifest:
                # No part of a workspace that somebody else has around it.
                manifest.write("\n[workspace]\n")
            return made
        raise
    raise InstallError(f"cargo has fetched no {package}")


def maven(packages: Sequence[str], folder: Path, tell: Tell) -> None:
    """JARs with all that they depend on at run time, flat in lib."""
    entries = "".join(DEPENDENCY.format(*map(escape, each.split(":"))) for each in packages)
    with _scratch() as scratch:
        (scratch / "pom.xml").write_text(POM.format(entries), "utf-8")
        # Else settings are sought in the folders above, where others may have put some.
        (scratch / ".mvn").mkdir()
        options = ["--batch-mode", "--no-transfer-progress", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        ran([_client("mvn"), *options, f"-DoutputDirectory={folder / 'lib'}"], tell, folder=str(scratch))


@dataclass(frozen=True)
class Registry:
    """How packages of a registry come into a folder: by a client, which is a Debian package itself."""

    put: Callable[[Sequence[str], Path, Tell], None]
    client: str
    debian: str


REGISTRIES = {
    "pip": Registry(pip, "pip3", "python3-pip"),
    "npm": Registry(npm, "npm", "npm"),
    "go": Registry(go, "go", "golang-go"),
    "cargo": Registry(cargo, "cargo", "cargo"),
    "maven": Registry(maven, "mvn", "maven"),
}


def clients(install: Install) -> list[str]:
    """The Debian packages of the clients that are needed and not here, by whatever means they might have come."""
    asked = [registry for name, registry in REGISTRIES.items() if getattr(install, name)]
    return [registry.debian for registry in asked if not _found(registry.client)]


def _found(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=SEARCH_PATH)


def _client(name: str) -> str:
    found = _found(name)
    if found is None:
        raise InstallError(f"the command {name} is not installed")
    return found


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tasklake-install-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o700)
        yield Path(folder)
