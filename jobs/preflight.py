"""What is here and what is missing, each with what to do about it."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from tasklake.jobs.config import Settings, java_command
from tasklake.jobs.lake import LakeUri
from tasklake.sandbox_exec import zygotes
from tasklake.sandbox_exec.doctor import offers
from tasklake.sandbox_exec.errors import TasklakeError
from tasklake.sandbox_exec.levels import attacked, levels, speed
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import isolation_level

Check = dict[str, Any]
Told = Callable[[str, Mapping[str, Any]], None]


def doctor(settings: Settings, quick: bool, told: Told) -> dict[str, list[dict[str, Any]]]:
    """Rows by what they are about: checks (check, ok, found, advice), isolation levels, attacks on each, its speed."""
    isolation = _isolation()
    # Without a box no self-test can be run.
    rows = [_language(row) for row in languages(settings, quick or not isolation["ok"], told)]
    checks = [_python(), _java(), _spark(), _jars(settings), _lake(settings), isolation, _zygotes(), *rows]
    isolated = list(levels())
    there = [] if quick else [row["level"] for row in isolated if row["available"]]
    return {
        "checks": checks,
        "isolation": isolated,
        "attacks": [_attacked(level, told) for level in there],
        "speed": [_speed(level, told) for level in there],
    }


def _attacked(level: str, told: Told) -> dict[str, Any]:
    return attacked(level, lambda theme: told(f"attacks on {level}", {"text": theme}))


def _speed(level: str, told: Told) -> dict[str, Any]:
    told("speed", {"text": level})
    return speed(level)


def languages(settings: Settings, quick: bool, told: Told) -> list[dict[str, Any]]:
    """Each language, and whether it is offered here: its toolchain answers and, unless quick, its self-tests pass."""
    folder = settings.plugins / "languages" if settings.plugins else None
    if quick:
        return list(offers(folder, None))
    rows = []
    with Pool() as pool:
        for row in offers(folder, pool):
            told(row["id"], {"text": "offered" if row["offered"] else "not offered"})
            rows.append(row)
    return rows


def _row(check: str, ok: bool, found: str, advice: str = "") -> Check:
    return {"check": check, "ok": ok, "found": found, "advice": "" if ok else advice}


def _python() -> Check:
    return _row("python", True, platform.python_version())


def _java() -> Check:
    java = java_command()
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
    try:
        return _row("isolation", True, isolation_level())
    except TasklakeError as error:
        return _row("isolation", False, "none", str(error))


def _zygotes() -> Check:
    """Never a failure: without them, programs are started and judged the same."""
    reason = zygotes.why_not()
    return _row("zygotes", True, f"none, all programs are started: {reason}" if reason else "can be built")


def _language(row: Mapping[str, Any]) -> Check:
    found = f"{row['toolchain'] or 'none'} (self-tests: {row['self_test']})"
    return _row(f"language {row['id']}", bool(row["offered"]), found, str(row["reason"]))
