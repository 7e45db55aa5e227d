"""Nobody is asked: only answers that are stored already count, such as those that a batch file brought."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tasklake.udfs.llm.errors import CallFailed, ErrorClass
from tasklake.udfs.llm.providers import Ask, Reply
from tasklake.udfs.llm.terms import Endpoint, Terms

NAME = "replay"
DOC = "stored answers alone: replay/openai/gpt-x uses what openai/gpt-x answered, and calls nobody"
CALLS = False


@asynccontextmanager
async def open_provider(terms: Terms) -> AsyncIterator[Ask]:
    """A request that gets here has no stored answer: it fails."""

    async def ask(request: Mapping[str, Any], endpoint: Endpoint) -> Reply:
        raise CallFailed(ErrorClass.UNRECORDED, "no answer to this request is stored; import one or name a live model")

    yield ask
