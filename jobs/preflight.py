"""What is here and what is missing, each with what to do about it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from typing import Any

from tasklake.jobs.config import Settings
from tasklake.jobs.lake import LakeUri
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.languages import load_languages, toolchain
from tasklake.sandbox_exec.pool import isolation_level

Check = dict[str, Any]


def doctor(settings: Settings) -> list[Check]:
    """One row per check: check, ok, found, advice."""
    return [_python(), _java(), _spark(), _jars(settings), _lake(settings), _isolation(), *_languages(settings)]


def _row(check: str, ok: bool, found: str, advice: str = "") -> Check:
    return {"check": check, "ok": ok, "found": found, "advice": "" if ok else advice}


def _python() -> Check:
    return _row("python", True, platform.python_version())


def _java() -> Check:
    java = shutil.which("java")
    if java is None:
        return _row("java", False, "none", "install Java 17: apt-get install openjdk-17-jre-headless")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    return _row("java", told.returncode == 0, (told.stderr or told.stdout).splitlines()[0], "install Java 17")


def _spark() -> Check:
    try:
        import pyspark
    except ImportError:
        return _row("spark", False, "none", "pip install 'tasklake[local]', or run where the platform brings Spark")
    supported = pyspark.__version__.startswith(("4.0.", "4.1."))
    return _row("spark", supported, pyspark.__version__, "Spark 4.0 and 4.1 are supported")


def _jars(settings: Settings) -> Check:
    here = len(list(settings.jar_cache.glob("*.jar"))) if settings.jar_cache.is_dir() else 0
    return _row(
        "delta jars", here > 0, f"{here} in {settings.jar_cache}", "run `make setup`, or start any run with network"
    )


def _lake(settings: Settings) -> Check:
    try:
        there = LakeUri.parse(settings.lake).child("tables").exists()
    except (TasklakeError, OSError) as error:
        return _row("lake", False, str(error), "set --dir or TASKLAKE_LAKE")
    return _row("lake", True, f"{settings.lake}: {'there' if there else 'not there yet'}")


def _isolation() -> Check:
    level = isolation_level()
    return _row("isolation", True, level)


def _languages(settings: Settings) -> list[Check]:
    folder = settings.plugins / "languages" if settings.plugins else None
    rows = []
    for name, pack in sorted(load_languages(folder).items()):
        try:
            rows.append(_row(f"language {name}", True, toolchain(pack)))
        except TasklakeError as error:
            rows.append(_row(f"language {name}", False, "none", str(error)))
    return rows
