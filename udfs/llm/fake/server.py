"""The fake server: chat completions, streams, models, files and batches, with faults, latency and counts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import email.utils
import gzip
import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tasklake.udfs.llm.fake import answers, batches
from tasklake.udfs.llm.fake.faults import Fault, chance, fault_of

# The quantile of the normal distribution behind p99.
Z99 = 2.326
# A batch of prompts with long documents.
MAX_BODY = 512 * 1024 * 1024
PAGE = f"<html><body>Bad gateway{' ' * 100_000}</body></html>"


@dataclass
class Behaviour:
    """How the server answers. Equal seeds, equal behaviour."""

    faults: tuple[Fault, ...] = ()
    median_s: float = 0.0
    p99_s: float = 0.0
    key: str = ""
    per_minute: int = 0
    structured: bool = True
    models: tuple[str, ...] = ("fake",)
    script: tuple[Mapping[str, str], ...] = ()
    seed: int = 0
    # Every answer is a line here, so that counts survive the server.
    log: str = ""


@dataclass
class Fake:
    """A running server's memory."""

    behaviour: Behaviour
    received: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def latency(self, key: str) -> float:
        """How long this request takes: lognormal with the behaviour's median and p99."""
        b = self.behaviour
        if b.median_s <= 0:
            return 0.0
        sigma = math.log(max(b.p99_s, b.median_s) / b.median_s) / Z99
        first, second = max(chance(b.seed, "u", key), 1e-12), chance(b.seed, "v", key)
        normal = math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)
        return b.median_s * math.exp(sigma * normal)

    def did_answer(self, key: str) -> None:
        """The whole answer to a request has left the server."""
        self.answered[key] += 1
        if self.behaviour.log:
            with Path(self.behaviour.log).open("a") as stream:
                stream.write(f"{key}\n")


FAKE: web.AppKey[Fake] = web.AppKey("fake", Fake)


def application(behaviour: Behaviour) -> web.Application:
    """The server as an aiohttp application."""
    app = web.Application(client_max_size=MAX_BODY)
    app[FAKE] = Fake(behaviour)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/v1/models", models)
    app.router.add_get("/_/counts", counts)
    app.router.add_delete("/_/counts", forget)
    batches.add_routes(app, FAKE)
    return app


async def complete(request: web.Request) -> web.StreamResponse:
    """One chat completion, or what goes wrong with it."""
    fake = request.app[FAKE]
    raw = await request.read()
    fake.times.append(time.time())
    # Without an id of the caller's, equal bodies are the same request.
    key = request.headers.get("X-Client-Request-Id") or hashlib.sha256(raw).hexdigest()
    fake.received[key] += 1
    fake.in_flight += 1
    fake.most_in_flight = max(fake.most_in_flight, fake.in_flight)
    try:
        return await _answer(fake, request, raw, key)
    finally:
        fake.in_flight -= 1


async def _answer(fake: Fake, request: web.Request, raw: bytes, key: str) -> web.StreamResponse:
    b = fake.behaviour
    fault = fault_of(b.faults, b.seed, key, fake.received[key])
    given = request.headers.get("Authorization", "")
    if fault == "auth" or (b.key and given != f"Bearer {b.key}"):
        return _error(401, "invalid_api_key", f"Incorrect API key provided, you sent Authorization: {given}")
    if b.per_minute and sum(1 for t in fake.times[-2 * b.per_minute :] if t > time.time() - 60) > b.per_minute:
        return _error(429, "rate_limit_exceeded", "Too many requests.", {"Retry-After": "1"})
    if fault == "forbidden":
        # A filter reads the prompt before it declines.
        await asyncio.sleep(fake.latency(key))
    if refused := _refused(fault):
        return refused
    try:
        data = json.loads(raw)
    except ValueError:
        return _error(400, "invalid_request_error", "The body is not JSON.")
    if fault == "quoting":
        form = json.dumps(data.get("response_format"))
        return _error(400, "invalid_request_error", f"A value is not valid beside response_format: {form}")
    if data.get("response_format") and not b.structured:
        return _error(400, "invalid_request_error", "response_format is not supported by this server.")
    await asyncio.sleep(fake.latency(key))
    if fault == "hang":
        await asyncio.sleep(3600)
    whole = answers.completion(data, key, answers.content(data, b.script, key), fault)
    if data.get("stream"):
        return await _stream(fake, request, whole, key)
    body = b"]not json" if fault == "notjson" else json.dumps(whole).encode()
    if fault in ("drip", "reset"):
        return await _piecemeal(request, body, fault)
    if fault == "endless":
        return await _endless(request)
    if fault == "zipped":
        return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    return await _whole(fake, request, body, key if fault != "notjson" else "")


async def _whole(fake: Fake, request: web.Request, body: bytes, key: str) -> web.StreamResponse:
    """The answer, counted when it has a key and has been written to somebody who is still there."""
    response = web.Response(body=body, content_type="application/json")
    await response.prepare(request)
    await response.write_eof()
    if key and request.transport is not None and not request.transport.is_closing():
        fake.did_answer(key)
    return response


async def _piecemeal(request: web.Request, body: bytes, fault: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    # The client may be gone at any byte: that is what these faults are for.
    with contextlib.suppress(ConnectionError):
        for number in range(len(body)):
            if fault == "reset" and number == len(body) // 2 and request.transport is not None:
                request.transport.abort()
            await response.write(body[number : number + 1])
            if fault == "drip":
                await asyncio.sleep(0.5)
    return response


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while request.transport is not None:
            await response.write(b" " * (1 << 16))
    return response


async def _stream(fake: Fake, request: web.Request, whole: Mapping[str, Any], key: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for part in answers.chunks(whole):
        await response.write(f"data: {json.dumps(part)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    fake.did_answer(key)
    return response


def _refused(fault: str | None) -> web.Response | None:
    """The faults that are an error at once."""
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
    date = email.utils.format_datetime(later, usegmt=True)
    rate = "rate_limit_exceeded"
    made = {
        "rate": lambda: _error(429, rate, "Too many requests."),
        "patience": lambda: _error(429, rate, "Too many requests.", {"Retry-After": "1"}),
        "date": lambda: _error(429, rate, "Too many requests.", {"Retry-After": date}),
        "error500": lambda: _error(500, "server_error", "The server had an error."),
        "error502": lambda: web.Response(status=502, text=PAGE, content_type="text/html"),
        "error503": lambda: _error(503, "overloaded", "Overloaded.", {"Retry-After": "1"}),
        "forbidden": lambda: _error(403, "content_policy", "This request is not allowed."),
        "toolong": lambda: _error(400, "context_length_exceeded", "Longer than the maximum context length."),
    }
    return made[fault]() if fault in made else None


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"error": {"message": message, "type": code, "code": code, "param": None}}
    return web.json_response(body, status=status, headers=headers)


async def models(request: web.Request) -> web.Response:
    """The models that the server says it has."""
    rows = [{"id": name, "object": "model", "created": 1} for name in request.app[FAKE].behaviour.models]
    return web.json_response({"object": "list", "data": rows})


async def counts(request: web.Request) -> web.Response:
    """What was received and answered, by request key, and when."""
    fake = request.app[FAKE]
    told = {"received": fake.received, "answered": fake.answered, "times": fake.times}
    return web.json_response(told | {"most_in_flight": fake.most_in_flight})


async def forget(request: web.Request) -> web.Response:
    """All counts begin again."""
    fake = request.app[FAKE]
    fake.received.clear()
    fake.answered.clear()
    fake.times.clear()
    fake.most_in_flight = fake.in_flight
    return web.json_response({})


async def start(behaviour: Behaviour, port: int = 0) -> tuple[web.AppRunner, int]:
    """The server listens on loopback; its runner, and the port."""
    # Calls that hang on purpose are cut off at the end.
    runner = web.AppRunner(application(behaviour), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
    await site.start()
    return runner, int(runner.addresses[0][1])
