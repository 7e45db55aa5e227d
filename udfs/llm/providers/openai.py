"""Any server that speaks chat completions: vLLM, SGLang, hosted ones. The `openai` package on its aiohttp transport."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from tasklake.udfs.llm.errors import MAX_RETRY_AFTER_S, CallFailed, ErrorClass, of_status
from tasklake.udfs.llm.providers import Ask, Reply
from tasklake.udfs.llm.requests import body as body_of
from tasklake.udfs.llm.responses import MOST_BODY, is_completion
from tasklake.udfs.llm.secrets import Redactor, key
from tasklake.udfs.llm.terms import Endpoint, Terms

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

NAME = "openai"
DOC = "any OpenAI-compatible endpoint: chat completions, with structured output where the server has it"
CALLS = True
# The name under which the caller's own id travels, for the provider's log and ours.
ID_HEADER = "X-Client-Request-Id"
# What is sent where a server wants no key: the client refuses to send nothing.
NO_KEY = "none"
PATH = "/chat/completions"
# What is read of an answer that is no success: a page of HTML is in it, and no more.
MOST_ERROR = 1 << 16
# What the client tells of this machine with every call: nobody asked for it, and a tenth of a call's CPU goes into it.
TELLTALES = tuple(
    f"X-Stainless-{word}"
    for word in ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async", "Retry-Count")
)


class Unread(Exception):
    """The body is not read to its end; never reaches a caller of the package."""

    def __init__(self, kind: ErrorClass, message: str):
        super().__init__(message)
        self.kind = kind


@asynccontextmanager
async def open_provider(terms: Terms) -> AsyncIterator[Ask]:
    """Calls to the endpoints of the terms, through one client each."""
    redactor = Redactor(endpoint.key for endpoint in terms.endpoints)
    async with AsyncExitStack() as stack:
        clients = {e: await stack.enter_async_context(_client(e, terms)) for e in terms.endpoints}
        # Endpoints that turned out not to know structured output.
        plain = set() if terms.structured else set(terms.endpoints)
        # By request, those that may be such: an error that quotes what it does not like may speak of this request
        # alone, until the request is answered after all.
        doubted: dict[str, set[Endpoint]] = {}

        async def ask(request: Mapping[str, Any], endpoint: Endpoint) -> Reply:
            doubts = doubted.get(request["request_key"], set())
            structured = bool(request["schema"]) and endpoint not in plain | doubts
            try:
                text = await _called(clients[endpoint], request, terms.model, structured, redactor)
            except CallFailed as failure:
                if not (structured and failure.kind is ErrorClass.REQUEST and "response_format" in failure.message):
                    raise
                doubted[request["request_key"]] = {*doubts, endpoint}
                # Asked without it as another try, which is counted and paced like any other.
                raise CallFailed(ErrorClass.MALFORMED, failure.message) from None
            plain.update(doubted.pop(request["request_key"], ()))
            return Reply(text, structured)

        yield ask


def _client(endpoint: Endpoint, terms: Terms) -> AsyncOpenAI:
    """A client that tries once and keeps a connection for every call in flight."""
    from openai import DEFAULT_CONNECTION_LIMITS, AsyncOpenAI, DefaultAioHttpClient, Omit

    limits = type(DEFAULT_CONNECTION_LIMITS)(max_connections=terms.share + 8, max_keepalive_connections=terms.share)
    silent = cast("dict[str, str]", {name: Omit() for name in TELLTALES})
    # A key never follows a redirect to another place.
    transport = DefaultAioHttpClient(limits=limits, follow_redirects=False, event_hooks={"response": [_bounded]})
    # Not compressed: an answer is small, and what is counted is then what is kept.
    return AsyncOpenAI(
        api_key=key(endpoint.key) or NO_KEY, base_url=endpoint.base_url, http_client=transport, max_retries=0,
        timeout=terms.timeout_s, default_headers={**silent, "Accept-Encoding": "identity"},
    )  # fmt: skip


async def _bounded(response: httpx2.Response) -> None:
    """Reading ends where an answer is longer than any may be, and where enough of an error has been told."""
    if response.headers.get("content-encoding", "identity") != "identity":
        told = "the body is compressed, which was not asked for: nobody knows how long it is"
        raise Unread(ErrorClass.REQUEST, told)
    response.stream = _counted()(response.stream, response.is_success)


@cache
def _counted() -> Callable[[Any, bool], httpx2.AsyncByteStream]:
    """What makes a stream one that breaks off, as a failure where it is an answer."""
    from httpx2 import AsyncByteStream

    class Counted(AsyncByteStream):
        def __init__(self, stream: Any, answers: bool) -> None:
            self.stream, self.answers = stream, answers

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = MOST_BODY if self.answers else MOST_ERROR
            async for part in self.stream:
                left -= len(part)
                if left < 0 and self.answers:
                    raise Unread(ErrorClass.LENGTH, f"the body is longer than {MOST_BODY} bytes")
                yield part
                if left < 0:
                    return

        async def aclose(self) -> None:
            await self.stream.aclose()

    return Counted


async def _called(
    client: AsyncOpenAI, request: Mapping[str, Any], name: str, structured: bool, redactor: Redactor
) -> str:
    """The body of one successful call without our keys."""
    headers = {ID_HEADER: request["request_key"]}
    failure: CallFailed
    try:
        # As bytes: the typed way builds a model of every answer, which costs as much as the call, and loses the body.
        raw: bytes = await client.post(
            PATH, body=body_of(request, name, structured), cast_to=bytes, options={"headers": headers}
        )
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a client raises is this call's failure, and no neighbour's
        failure = _failure(error, redactor)
    else:
        text = redactor.answer(raw.decode("utf-8", "replace"))
        if is_completion(text):
            return text
        failure = CallFailed(ErrorClass.MALFORMED, redactor.message(f"the body is no chat completion: {text[:200]}"))
    # Outside of the handler: the client's error holds the request with its headers.
    raise failure


def _failure(error: Exception, redactor: Redactor) -> CallFailed:
    from openai import APIStatusError, APITimeoutError

    if isinstance(error, APIStatusError):
        told = _told(error)
        kind = of_status(error.status_code, told)
        message = redactor.message(f"{error.status_code}: {told}")
        return CallFailed(kind, message, _retry_after(error.response.headers), error.status_code)
    if isinstance(error, APITimeoutError | TimeoutError):
        return CallFailed(ErrorClass.TIMEOUT, "no whole answer in time")
    cause = error.__cause__ or error
    if isinstance(cause, Unread):
        return CallFailed(cause.kind, str(cause))
    return CallFailed(ErrorClass.NETWORK, redactor.message(f"{type(cause).__name__}: {cause}"))


def _told(error: Any) -> str:
    """What the provider says, shortest form first."""
    body = error.body
    if isinstance(body, Mapping):
        parts = [str(body[name]) for name in ("code", "message") if body.get(name)]
        if parts:
            return ": ".join(parts)
    return str(body if body is not None else error)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The pause that is asked for, in milliseconds, in seconds or as a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            asked = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return min(MAX_RETRY_AFTER_S, max(0.0, asked)) if asked == asked else None
    try:
        then = parsedate_to_datetime(headers.get("retry-after", ""))
        then = then if then.tzinfo else then.replace(tzinfo=datetime.UTC)
        left = (then - datetime.datetime.now(datetime.UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(MAX_RETRY_AFTER_S, max(0.0, left))
