"""Who answers: one module per provider, found by its file name. A model `<provider>/<name>` names one.

A provider has NAME, DOC, CALLS (whether anything leaves the machine, so that endpoints, keys, rates and budgets mean
something) and `open_provider(terms)`, an async context that yields a function from a request row and an endpoint to a
Reply, which raises CallFailed for one try that failed and nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

from tasklake.sandbox_exec.documents import nearest
from tasklake.udfs.llm.errors import LlmError
from tasklake.udfs.llm.terms import Endpoint, Terms


@dataclass(frozen=True)
class Reply:
    """What came back: the body as it was sent, and whether the form of the answer was enforced."""

    body: str
    structured: bool = False


Ask = Callable[[Mapping[str, Any], Endpoint], Awaitable[Reply]]


class Provider(Protocol):
    """A module in this folder."""

    NAME: str
    DOC: str
    CALLS: bool

    def open_provider(self, terms: Terms) -> AbstractAsyncContextManager[Ask]:
        """What a task opens once and closes at its end."""
        ...


@cache
def provider_names() -> tuple[str, ...]:
    """The names of all providers."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load_provider(name: str) -> Provider:
    """The provider of that name."""
    if name not in provider_names():
        right = nearest(name, provider_names())
        hint = f"; did you mean {right}?" if right else ""
        raise LlmError(f"no provider is called {name}{hint} There are {', '.join(provider_names())}")
    return cast("Provider", importlib.import_module(f"{__name__}.{name}"))
