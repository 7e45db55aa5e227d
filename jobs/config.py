"""Typed settings: flag > environment > recipe > default. The only reader of os.environ.

Credentials are never read here: Spark and deltalake find those themselves, and only workers may see keys of models.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.errors import TasklakeError

SessionKind = Literal["auto", "local", "existing", "connect"]
LogLevel = Literal["debug", "info", "warning", "error"]
NonEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# What Spark accepts for a heap: a bare number would be read as mebibytes or bytes depending on the version.
Memory = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[1-9][0-9]*[mg]$")]
ConnectUrl = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^(sc://.+|local(\[.+\])?)$")]
Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser())]
# Spark itself tells a wrong master late and by a trace of Java.
Master = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        pattern=r"^(local(\[([1-9][0-9]*|\*)(, *[1-9][0-9]*)?\])?|local-cluster\[[0-9, ]+\]|yarn|(spark|k8s)://.+)$",
    ),
]

PREFIX = "TASKLAKE_"

# Variables that a setting may come from, the first one set wins. The foreign names are those that Spark, AWS clients
# and package mirrors already use, so that a machine that is set up for them needs nothing more.
VARIABLES: dict[str, tuple[str, ...]] = {
    "lake": ("TASKLAKE_LAKE",),
    "session": ("TASKLAKE_SESSION",),
    "spark_master": ("TASKLAKE_SPARK_MASTER",),
    "spark_remote": ("TASKLAKE_SPARK_REMOTE", "SPARK_REMOTE"),
    "driver_memory": ("TASKLAKE_DRIVER_MEMORY",),
    "jar_cache": ("TASKLAKE_JAR_CACHE",),
    "jar_mirror": ("TASKLAKE_JAR_MIRROR", "DEFAULT_ARTIFACT_REPOSITORY"),
    "s3_endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "s3_region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "plugins": ("TASKLAKE_PLUGINS",),
    "log_level": ("TASKLAKE_LOG_LEVEL",),
    "code_version": ("TASKLAKE_CODE_VERSION",),
}

# What a person types, where it differs from the name of the setting.
FLAGS: dict[str, str] = {"lake": "--dir"}


def _there(folder: Path) -> Path:
    if not folder.is_dir():
        raise ValueError("no such folder")
    return folder


class UsageError(TasklakeError):
    """The command, a setting or a recipe was given wrongly; nothing has been done."""

    exit_code = 2


class RecipeSettings(BaseModel):
    """The settings that a recipe may bring; where the lake lies and what machine this is are not the recipe's."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    session: SessionKind | None = None
    spark_master: Master | None = None
    driver_memory: Memory | None = None
    log_level: LogLevel | None = None


class Settings(BaseModel):
    """Every setting of one command, checked, and where each came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lake: NonEmpty = Field(default="./tasklake-lake", description="the lake: a folder or a URI")
    session: SessionKind = Field(
        default="auto", description="how Spark is reached; auto: an existing session, else local"
    )
    # All cores: candidates run one per slot and the machine is the user's own.
    # Three tries: a Python worker that the system ends for want of memory is no end of the run.
    spark_master: Master = Field(default="local[*,3]", description="master of a local session")
    spark_remote: ConnectUrl | None = Field(default=None, description="Spark Connect URL, for session connect")
    # 2 GiB holds the demo and all of MBPP with room to spare, on a laptop of 8 GiB.
    driver_memory: Memory = Field(default="2g", description="heap of the local driver")
    jar_cache: Folder = Field(
        default_factory=lambda: cache_home() / "tasklake" / "jars", description="where the Delta and S3 JARs are kept"
    )
    jar_mirror: NonEmpty | None = Field(default=None, description="Maven repository to fetch JARs from")
    s3_endpoint: NonEmpty | None = Field(default=None, description="S3 endpoint, for stores other than AWS")
    s3_region: NonEmpty | None = Field(default=None, description="S3 region")
    plugins: Annotated[Folder, AfterValidator(_there)] | None = Field(
        default=None, description="folder with sources/, languages/ and gates/ of your own"
    )
    log_level: LogLevel = Field(default="warning", description="least severe message that is logged")
    code_version: NonEmpty = Field(default_factory=lambda: installed_version(), description="written on every row")
    origins: dict[str, str] = Field(default_factory=dict, exclude=True, repr=False)

    def describe(self) -> list[dict[str, str]]:
        """Each setting, its value, where the value came from and what it is for; then variables that are no setting."""
        rows = [
            {
                "setting": name,
                "value": "" if getattr(self, name) is None else redacted(str(getattr(self, name))),
                "origin": self.origins.get(name, "default"),
                "meaning": field.description or "",
            }
            for name, field in type(self).model_fields.items()
            if name != "origins"
        ]
        return rows + unknown_variables()


def load_settings(recipe: RecipeSettings | None = None, **flags: object) -> Settings:
    """The settings of this command; a flag that is None was not given."""
    unknown = sorted(set(flags) - set(VARIABLES))
    if unknown:
        raise TypeError(f"load_settings has no flag {unknown[0]!r}")
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for name, value, origin in (*_from_recipe(recipe), *_from_environment(), *_from_flags(flags)):
        values[name], origins[name] = value, origin
    try:
        settings = Settings.model_validate(values | {"origins": origins})
    except ValidationError as error:
        raise UsageError("; ".join(_sentence(dict(each), origins) for each in error.errors())) from None
    if settings.session == "connect" and settings.spark_remote is None:
        raise UsageError(
            "session is connect, but no URL is set: set TASKLAKE_SPARK_REMOTE to one such as sc://host:15002"
        )
    return settings


def cache_home() -> Path:
    """The user's cache folder, as the XDG base directory rules place it."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The rules say that a relative path is to be ignored.
    return Path(given) if given.startswith("/") else Path("~/.cache").expanduser()


def java_command() -> str | None:
    """The java that Spark would start: that of JAVA_HOME where it is set, else the first in the PATH."""
    home = os.environ.get("JAVA_HOME", "").strip()
    return shutil.which(os.path.join(home, "bin", "java") if home else "java")


def installed_version() -> str:
    """The version of the installed package, or "checkout" where it runs without being installed."""
    try:
        return importlib.metadata.version("tasklake")
    except importlib.metadata.PackageNotFoundError:
        return "checkout"


def unknown_variables() -> list[dict[str, str]]:
    """A row for each TASKLAKE_ variable in the environment that no setting reads: mostly a slip of the pen."""
    known = [name for names in VARIABLES.values() for name in names]
    rows = []
    for variable in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        right = nearest(variable, known)
        hint = f"; did you mean {right}?" if right else ""
        rows.append({"setting": variable, "value": "", "origin": "environment", "meaning": f"not a setting{hint}"})
    return rows


def _from_recipe(recipe: RecipeSettings | None) -> list[tuple[str, object, str]]:
    given = recipe.model_dump(exclude_none=True) if recipe else {}
    return [(name, value, "recipe") for name, value in given.items()]


def _from_environment() -> list[tuple[str, object, str]]:
    found: list[tuple[str, object, str]] = []
    for name, variables in VARIABLES.items():
        # An empty variable counts as not set: that is how shells and job definitions switch one off.
        for variable in reversed([each for each in variables if os.environ.get(each, "").strip()]):
            found.append((name, os.environ[variable], f"environment {variable}"))
    return found


def _from_flags(flags: Mapping[str, object]) -> list[tuple[str, object, str]]:
    return [(name, value, _flag(name)) for name, value in flags.items() if value is not None]


def _flag(name: str) -> str:
    return f"flag {FLAGS.get(name, '--' + name.replace('_', '-'))}"


def _sentence(error: Mapping[str, object], origins: Mapping[str, str]) -> str:
    """What is wrong with one value, and which variable, flag or recipe it came from."""
    location = error["loc"]
    name = str(location[0]) if isinstance(location, tuple) and location else "?"
    source = origins.get(name, "default").removeprefix("flag ").removeprefix("environment ")
    expected = EXPECTED.get(name, str(error["msg"]).removeprefix("Input should be "))
    right = nearest(str(error["input"]), re.findall(r"\w+", expected)) if name in ("session", "log_level") else None
    hint = f" (did you mean {right}?)" if right else ""
    return f"{source} is {redacted(str(error['input']))!r}, but {name} must be {expected}{hint}"


# Said in place of pydantic's words, which name a pattern.
EXPECTED: dict[str, str] = {
    "lake": "a folder or a URI",
    "driver_memory": "a size such as 2g or 512m",
    "spark_remote": "a URL such as sc://host:15002",
    "spark_master": "a master such as local[*], local[4], yarn, spark://host:7077 or k8s://https://host:6443",
    "plugins": "a folder that is there, with sources/, languages/ or gates/ in it",
}

# Where a URL may hold what is nobody else's business: before the host, and in a value that is named like a secret.
_USER = re.compile(r"(?<=://)[^/@\s'\"]+(?=@)")
_SECRET = re.compile(
    r"(?i)\b((?:[\w-]*(?:token|password|passwd|secret|signature|credential|(?:api|access)[_-]?key)[\w-]*|sig)=)[^;&\s'\"]+"
)


def redacted(text: str) -> str:
    """The text without passwords and tokens of the URLs in it."""
    return _SECRET.sub(r"\1…", _USER.sub("…", text))


def run_workers_on(interpreter: str) -> None:
    """Spark's workers run this interpreter unless the environment names one: the system's has none of our packages."""
    os.environ.setdefault("PYSPARK_PYTHON", interpreter)
