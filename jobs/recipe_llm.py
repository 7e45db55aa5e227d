"""What a recipe may say about models: whom to ask, how fast, and for how much."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from tasklake.jobs.recipe_parts import Count, Seconds, Section, Text, as_tuple
from tasklake.udfs.llm import terms
from tasklake.udfs.llm.errors import LlmError
from tasklake.udfs.llm.providers import load_provider, provider_names
from tasklake.udfs.llm.requests import provider_of

Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
URL = re.compile(r"https?://[^\s/?#@%\x00-\x20\x7f]+(/[^\s?#@\x00-\x20\x7f]*)?")
HOSTED = "https://api.openai.com/v1"


def _a_variable(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", name):
        # A key in its place is not shown to anybody.
        raise PydanticCustomError(
            "recipe_unknown", "must name the environment variable that holds the key, such as OPENAI_API_KEY"
        )
    return name


def _a_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = bool(URL.fullmatch(text) and all((parts.hostname or "").strip(".").split("."))) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise PydanticCustomError(
            "recipe", "must be a URL such as http://host:8000/v1, without a password: keys are named by `key`"
        )
    return text.rstrip("/")


Variable = Annotated[str, AfterValidator(_a_variable)]
Url = Annotated[Text, AfterValidator(_a_url)]


class Endpoint(Section):
    """One of several addresses that serve the same model."""

    base_url: Url = Field(description="where the model is served, up to and with /v1")
    # Calls are shared out by weight; a machine with twice the throughput gets 2.
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0
    key: Variable = "OPENAI_API_KEY"


class Parameters(Section):
    """What goes along with the messages; each is part of a request's identity."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    # Reasoning included, where a model reasons; an answer that is cut off cannot be used.
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    seed: int | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    reasoning_effort: Text | None = None


class Prices(Section):
    """USD per million tokens."""

    input: Rate = 0.0
    output: Rate = 0.0
    # Tokens that the provider had cached; absent: the price of input.
    cached: Rate | None = None
    # What a batch costs beside a call: half, with every provider that we know of.
    batch: Annotated[float, Field(ge=0, le=1)] = 0.5


class Budget(Section):
    """The most that the recipe may ever spend on one lake, over all its runs."""

    usd: Rate | None = None
    calls: Annotated[int, Field(ge=0)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None


class Llm(Section):
    """The model that stages ask."""

    model: Text = Field(
        description="provider and model, such as openai/qwen3-32b, replay/openai/qwen3-32b or rules/echo"
    )
    # The hosted API of the provider; one's own server is named here.
    base_url: Url = HOSTED
    key: Variable = "OPENAI_API_KEY"
    endpoints: Annotated[tuple[Endpoint, ...], BeforeValidator(as_tuple)] = ()
    parameters: Parameters = Parameters()
    # Over the whole cluster. One server with one GPU is busy with this many.
    max_in_flight: Annotated[int, Field(ge=1, le=100_000)] = 64
    # One process keeps several hundred calls a second on their way: more tasks are for more than that.
    tasks: Annotated[int, Field(ge=1, le=1000)] = 1
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    # A long answer of a slow model with reasoning takes minutes.
    timeout_s: Seconds = 300.0
    # A server that restarts is back within this.
    give_up_s: Seconds = 180.0
    wave_s: Seconds | None = None
    # Off for servers that take response_format and answer worse for it.
    structured: bool = True
    # How often a model is told what is wrong with the form of its answer; each is a call of its own.
    repairs: Annotated[int, Field(ge=0, le=4)] = 1
    prices: Prices = Prices()
    budget: Budget = Budget()

    @field_validator("model")
    @classmethod
    def _provider_is_there(cls, model: str) -> str:
        try:
            for provider in _providers(model):
                load_provider(provider)
        except LlmError as error:
            raise PydanticCustomError("recipe_unknown", str(error)) from None
        return model

    @field_validator("endpoints")
    @classmethod
    def _one_way_to_say_where(cls, endpoints: tuple[Endpoint, ...], info: ValidationInfo) -> tuple[Endpoint, ...]:
        if endpoints and info.data.get("base_url", HOSTED) != HOSTED:
            raise PydanticCustomError("recipe", "stands beside base_url: keep one of the two")
        urls = [each.base_url for each in endpoints]
        twice = sorted({url for url in urls if urls.count(url) > 1})
        if twice:
            raise PydanticCustomError("recipe", f"names {twice[0]} twice: give one entry more weight")
        return endpoints

    @field_validator("budget")
    @classmethod
    def _can_be_kept(cls, budget: Budget, info: ValidationInfo) -> Budget:
        model, prices, parameters = (info.data.get(name) for name in ("model", "prices", "parameters"))
        if not (model and prices and parameters) or not load_provider(provider_of(model)[0]).CALLS:
            return budget
        if budget.usd is not None and not prices.input and not prices.output:
            raise PydanticCustomError(
                "recipe_absent", "limits usd, but all prices are 0: set llm.prices, or limit tokens"
            )
        unlimited = budget.usd is not None or budget.tokens is not None
        if unlimited and not parameters.max_tokens and not parameters.max_completion_tokens:
            raise PydanticCustomError(
                "recipe_absent",
                "limits usd or tokens, but an answer may have any length: set llm.parameters.max_tokens (or "
                "max_completion_tokens), so that what calls in flight may cost is known",
            )
        return budget

    @property
    def provider(self) -> str:
        """Who answers."""
        return provider_of(self.model)[0]

    @property
    def identity(self) -> str:
        """The model as requests know it: what replay stands in front of."""
        provider, name = provider_of(self.model)
        return name if provider == "replay" else self.model

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters that are given."""
        return self.parameters.model_dump(exclude_none=True)

    def terms(self, purse: terms.Purse) -> terms.Terms:
        """What tasks have to know, with what may still be spent."""
        given = self.endpoints or (Endpoint(base_url=self.base_url, key=self.key),)
        made = terms.Terms(
            provider=self.provider,
            model=provider_of(self.identity)[1],
            endpoints=tuple(terms.Endpoint(each.base_url, each.weight, each.key) for each in given),
            prices=terms.Prices(**self.prices.model_dump()),
            purse=purse,
            **{name: getattr(self, name) for name in _SAME},
        )
        if load_provider(self.provider).CALLS:
            return made
        # Nobody is called: nothing is spent, and no rate is anybody's.
        return replace(made, purse=terms.Purse(), requests_per_minute=None, tokens_per_minute=None)


_SAME = (
    "tasks", "max_in_flight", "requests_per_minute", "tokens_per_minute", "timeout_s", "give_up_s", "wave_s",
    "structured",
)  # fmt: skip


def _providers(model: str) -> list[str]:
    """The providers that a model names: two, where stored answers of another one are used."""
    provider, name = provider_of(model)
    return [provider, provider_of(name)[0]] if provider == "replay" else [provider]


__all__ = ["Llm", "provider_names"]
