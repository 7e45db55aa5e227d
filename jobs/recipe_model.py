"""What a recipe may say: one frozen model per section, each default with its reason.

A key that no stage reads has no place here: a dead setting is a promise that nobody keeps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from tasklake.jobs.config import RecipeSettings
from tasklake.jobs.recipe_languages import Languages
from tasklake.jobs.recipe_llm import Llm
from tasklake.jobs.recipe_parts import Count, Seconds, Section, Text, as_tuple
from tasklake.sandbox_exec.backends import IsolationError, wanted
from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.languages import OFFERED

Stage = Literal["ingest", "reformulate", "ground", "propose", "execute", "judge", "gate", "release"]
STAGES: tuple[Stage, ...] = get_args(Stage)

# Mebibytes, as ulimit, Docker and every judge's problem page count them.
MIB = 1024 * 1024


def _all_or_names(value: Any, info: ValidationInfo) -> Any:
    """Every gate, or those named, each of which there must be."""
    names = as_tuple(value)
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) and name for name in names):
        raise PydanticCustomError("recipe", "must be all or a list of gates")
    if names == ("all",):
        return "all"
    for name in names:
        _require_known("gates", name, info)
    return _unique(names)


def _require_known(kind: str, name: str, info: ValidationInfo) -> None:
    """Passes a name that is known, and every name where nobody said what is known."""
    known = (info.context or {}).get(kind)
    if known is not None and name not in known:
        right = nearest(name, known)
        hint = f" (did you mean {right}?)" if right else ""
        raise PydanticCustomError("recipe_unknown", f"no {name} among the {kind}: {', '.join(sorted(known))}{hint}")


# Names become values of key columns, file names and parts of URIs.
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Texts = Annotated[tuple[Text, ...], BeforeValidator(as_tuple), Field(min_length=1)]


class Source(Section):
    """One corpus: which module reads it and where it lies."""

    source: Slug = Field(description="the reader, a file name in jobs/sources")
    name: Slug = Field(
        default="", validate_default=False, description="its identity in the lake; default: the reader's name"
    )
    path: Texts = Field(
        description="where the corpus lies (a file, a glob, a URI or package:demo/FILE), in the recipe or with --set"
    )
    solutions_path: Texts | None = None
    # Kept with each problem; absent means what the reader's mapping was written against.
    revision: Text | None = None
    licence: Text | None = None
    # Absent means all rows; a number is for trying things out.
    limit: Count | None = None
    # 16 MiB: the largest honest row seen (a problem with all its tests) is below 10 MiB, and a batch of larger ones
    # would not fit a worker. A longer row becomes a reject with this as its reason.
    max_row_bytes: Annotated[int, Field(ge=1024, le=1024 * MIB)] = 16 * MIB
    # An empty corpus is nearly always a wrong path, and would withdraw everything that came from it.
    allow_empty: bool = False
    # A damaged file is mostly an upload that broke off, and what it holds is not known. Where one of many files may
    # stay damaged, each becomes a reject, and nothing of the source counts as withdrawn meanwhile.
    allow_unreadable: bool = False

    @field_validator("source")
    @classmethod
    def _reader_is_there(cls, source: str, info: ValidationInfo) -> str:
        _require_known("sources", source, info)
        return source

    def model_post_init(self, context: Any, /) -> None:
        """The name is the reader's where none is given."""
        if not self.name:
            object.__setattr__(self, "name", self.source)


class Limits(Section):
    """Limits of one run of a program; what is absent is decided by the sandbox's own default and its reason."""

    cpu_s: Seconds | None = None
    wall_s: Seconds | None = None
    memory_mb: Annotated[int, Field(ge=16, le=1024 * 1024)] | None = None
    output_mb: Annotated[int, Field(ge=1, le=1024)] | None = None
    processes: Annotated[int, Field(ge=1, le=4096)] | None = None

    @field_validator("wall_s")
    @classmethod
    def _wall_holds_cpu(cls, wall: float | None, info: ValidationInfo) -> float | None:
        cpu = info.data.get("cpu_s")
        if wall is not None and cpu is not None and wall < cpu:
            raise PydanticCustomError("recipe", f"must be at least cpu_s ({cpu:g})")
        return wall

    def as_mapping(self) -> dict[str, float | int]:
        """What is given, in the words and units of sandbox_exec.limits."""
        given = self.model_dump(exclude_none=True)
        return {
            _SANDBOX_NAME.get(key, key): value * (MIB if key in _SANDBOX_NAME else 1) for key, value in given.items()
        }


_SANDBOX_NAME = {"memory_mb": "memory_bytes", "output_mb": "output_bytes"}


class Reformulate(Section):
    """How problems become tasks."""

    # Deterministic and free; a model takes its place where rules do not reach.
    provider: Literal["rules"] = "rules"


class Ground(Section):
    """How oracles are run."""

    # DESIGN §7: an oracle must reproduce every output twice, identically; once would let flaky ones through.
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    limits: Limits = Limits()


class Propose(Section):
    """Where candidates come from."""

    # Recorded answers need no key and no network; llm asks the model of the section llm.
    provider: Literal["replay", "llm"] = "replay"
    # Where recorded answers lie: needed by a recipe that proposes them, which the recipe checks.
    path: Annotated[tuple[Text, ...], BeforeValidator(as_tuple)] = ()
    # One per task and language is what pass@1 needs; the published evaluation takes 20.
    samples: Annotated[int, Field(ge=1, le=1000)] = 1


class Execute(Section):
    """How candidates are run."""

    # A strength (any, standard, strict) or a level by its name. Every verdict says which level it was; a stronger one
    # is for what will be published.
    isolation: str = "any"
    # One wrong case decides the verdict; a program that meets its time limit would meet it on every other case too.
    run_all: bool = False
    limits: Limits = Limits()

    @field_validator("isolation")
    @classmethod
    def _some_level_is_that_strong(cls, isolation: str) -> str:
        try:
            wanted(isolation)
        except IsolationError as error:
            raise PydanticCustomError("recipe_unknown", str(error)) from None
        return isolation


class Gate(Section):
    """Which rules tasks and samples must pass."""

    gates: Annotated[tuple[str, ...] | Literal["all"], PlainValidator(_all_or_names)] = "all"
    # A task with a single case is passed by any program that prints that one output.
    min_cases: Count = 2


class Release(Section):
    """How the result is called and written."""

    name: Slug | None = Field(default=None, description="the dataset's name; default: the recipe's")


class Recipe(Section):
    """A run as data: sources, languages, stages, limits and gates."""

    name: Slug = Field(description="a short name in small letters, such as mbpp-rules")
    description: str = ""
    source: Source | None = None
    sources: Annotated[tuple[Source, ...], BeforeValidator(as_tuple)] = Field(default=(), validate_default=True)
    # All that this machine can run: a lake is rarely about one language.
    languages: Languages = (OFFERED,)
    stages: Annotated[tuple[Stage, ...], BeforeValidator(as_tuple)] = STAGES
    limits: Limits = Limits()
    # Absent: no model is asked, which is free.
    llm: Llm | None = None
    reformulate: Reformulate = Reformulate()
    ground: Ground = Ground()
    propose: Propose = Field(default=Propose(), validate_default=True)
    execute: Execute = Execute()
    gate: Gate = Gate()
    release: Release = Release()
    settings: RecipeSettings = RecipeSettings()

    @field_validator("sources")
    @classmethod
    def _exactly_one_way(cls, sources: tuple[Source, ...], info: ValidationInfo) -> tuple[Source, ...]:
        # A source that is itself wrong is absent from the data; it is reported on its own.
        alone = info.data.get("source") is not None or "source" not in info.data
        if alone and sources:
            raise PydanticCustomError("recipe", "stands beside source: keep one of the two")
        if not alone and not sources:
            raise PydanticCustomError("recipe_absent", "needs a corpus: add source (one) or sources (a list)")
        names = [each.name for each in sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("recipe", f"has two entries named {twice[0]}: give each its own name")
        return sources

    @field_validator("languages")
    @classmethod
    def _no_language_twice(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if OFFERED in languages and len(languages) > 1:
            raise PydanticCustomError("recipe", "names languages beside offered: keep one of the two")
        return _unique(languages)

    @field_validator("stages")
    @classmethod
    def _stages_from_the_start(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if not stages or stages != STAGES[: len(stages)]:
            raise PydanticCustomError(
                "recipe",
                f"must be the first of {', '.join(STAGES)}, in this order: each reads what the one before wrote",
            )
        return stages

    @field_validator("propose")
    @classmethod
    def _answers_where_needed(cls, propose: Propose, info: ValidationInfo) -> Propose:
        if propose.provider == "llm":
            if propose.path:
                raise PydanticCustomError("recipe_absent", "names a path, which only provider replay reads: drop it")
            if info.data.get("llm") is None and "llm" in info.data:
                raise PydanticCustomError("recipe_absent", "asks a model: add a section llm with a model")
        elif not propose.path and "propose" in info.data.get("stages", ()):
            raise PydanticCustomError(
                "recipe_absent",
                "needs a path: say where the recorded answers lie (a file, a glob or a URI), or use provider llm",
            )
        return propose

    @property
    def all_sources(self) -> tuple[Source, ...]:
        """Every corpus, however the recipe spells it."""
        return (self.source,) if self.source else self.sources

    @property
    def release_name(self) -> str:
        """What the dataset is called."""
        return self.release.name or self.name

    def fingerprint(self) -> str:
        """A sha256 over everything that can change a result; the description and the machine are left out."""
        content: Mapping[str, Any] = self.model_dump(mode="json", exclude={"description", "settings"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _unique(words: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise PydanticCustomError("recipe", f"names {twice[0]} twice")
    return words
