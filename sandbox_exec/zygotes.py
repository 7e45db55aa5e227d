"""What makes a runtime a zygote: a small library that is built once per machine, where there is a compiler."""

from __future__ import annotations

import hashlib
import importlib.resources
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tasklake.sandbox_exec.caches import CacheError, made_once, root
from tasklake.sandbox_exec.channel import Zygote
from tasklake.sandbox_exec.languages import SEARCH_PATH, Language
from tasklake.sandbox_exec.limits import Limits

COMPILERS = ("cc", "gcc", "clang")
# Some distributions check jumps between stacks, and end who makes one.
WORDS = ("-O2", "-U_FORTIFY_SOURCE", "-shared", "-fPIC", "-o")
# A second on an idle machine.
BUILDING_S = 120.0


def zygote(pack: Language, argv: Sequence[str], limits: Limits) -> Zygote | None:
    """How the language's programs are forked instead of started, where its pack and this machine allow that."""
    if not pack.zygote or pack.filename not in argv or not library():
        return None
    variables = tuple(pack.variables(limits).items())
    return Zygote(tuple(argv), variables, pack.filename, pack.zygote, pack.zygote_calls, library())


def library() -> str:
    """The library, or nothing where it cannot be built: every program is started then, and judged the same."""
    return _library()[0]


def why_not() -> str:
    """Why there are no zygotes here, or nothing."""
    return _library()[1]


@cache
def _library() -> tuple[str, str]:
    compiler = next(filter(None, (shutil.which(name, path=SEARCH_PATH) for name in COMPILERS)), None)
    if compiler is None:
        return "", f"no C compiler is installed ({', '.join(COMPILERS)})"
    source = importlib.resources.files("tasklake.sandbox_exec.agent").joinpath("zygote.c").read_bytes()
    try:
        place = root() / f"zygote-{hashlib.sha256(source + repr((compiler, WORDS)).encode()).hexdigest()[:16]}"
        if not place.exists():
            _build(place, compiler, source)
    except (OSError, CacheError, subprocess.SubprocessError) as error:
        return "", f"the zygotes' library cannot be built: {error}"
    return str(place / "zygote.so"), ""


def _build(place: Path, compiler: str, source: bytes) -> None:
    """The folder is there, with the library in it."""
    with made_once(place) as partial:
        built = partial / "zygote.so"
        subprocess.run(
            [compiler, *WORDS, str(built), "-x", "c", "-", "-ldl"],
            input=source, capture_output=True, check=True, timeout=BUILDING_S, env={"PATH": SEARCH_PATH},
        )  # fmt: skip
        built.chmod(0o755)
