"""What calls to models cost beside the least that they could, in the same run.

No figure passes or fails here. The server of `tasklake llm serve-fake` is a process of its own.
"""

from __future__ import annotations

import asyncio
import bisect
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import pyarrow as pa
import pytest
from recording import record

from tasklake.jobs.config import load_settings
from tasklake.jobs.lake import Lake, LakeUri
from tasklake.jobs.llm import answering
from tasklake.jobs.llm import requests as planned
from tasklake.jobs.recipe import load_recipe
from tasklake.jobs.session import session
from tasklake.jobs.stage import Run
from tasklake.udfs.llm import requests
from tasklake.udfs.llm.executor import Executor
from tasklake.udfs.llm.feed import Feed
from tasklake.udfs.llm.providers import load_provider
from tasklake.udfs.llm.sink import Sink
from tasklake.udfs.llm.templates import find_template
from tasklake.udfs.llm.terms import Endpoint, Terms

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

# A statement of the usual length.
STATEMENT = "There are n lanterns in a row, and each night some of them go out. " * 25
OTHER = dict.fromkeys(("input_format", "output_format", "sample"), "One line with two numbers, apart by a blank.")
CAP = 512


@pytest.fixture
def server() -> Iterator[Callable[..., str]]:
    """Starts the fake server in a process and yields its address."""
    started: list[subprocess.Popen[str]] = []

    def serve(*words: str) -> str:
        argv = [sys.executable, "-m", "tasklake.jobs", "llm", "serve-fake", *words]
        started.append(subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True))
        line = started[-1].stderr.readline()  # type: ignore[union-attr]
        return line.split()[2]

    yield serve
    for process in started:
        process.kill()
        process.wait()


def rows(count: int, first: int = 0) -> Iterator[dict[str, Any]]:
    story = find_template("story")
    for n in range(first, first + count):
        messages = story.messages({"statement": f"{n}. {STATEMENT}"} | OTHER)
        yield requests.row(story, "openai/fake", {"max_tokens": 500}, messages, 0)


def batches(count: int, first: int = 0) -> Iterator[pa.RecordBatch]:
    given = rows(count, first)
    while chunk := list(islice(given, 64)):
        yield pa.RecordBatch.from_pylist(chunk)


async def plainly(url: str, given: Iterator[dict[str, Any]], cap: int) -> int:
    """A plain loop over aiohttp with a cap: how many answers came."""
    done = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:

        async def work() -> None:
            nonlocal done
            for row in given:
                headers = {"Authorization": "Bearer none", "X-Client-Request-Id": row["request_key"]}
                async with client.post(
                    f"{url}/chat/completions", json=requests.body(row, "fake", True), headers=headers
                ) as r:
                    json.loads(await r.text())
                    done += 1

        await asyncio.gather(*(work() for _ in range(cap)))
    return done


async def through_openai(url: str, given: Iterator[dict[str, Any]], cap: int) -> int:
    """The provider alone with the same cap."""
    endpoint, done = Endpoint(url), 0
    terms = Terms("openai", "fake", (endpoint,), max_in_flight=cap)
    async with load_provider("openai").open_provider(terms) as ask:

        async def work() -> None:
            nonlocal done
            for row in given:
                # It looks into the body itself, as the reference does.
                reply = await ask(row, endpoint)
                done += bool(reply.body)

        await asyncio.gather(*(work() for _ in range(cap)))
    return done


def test_cpu_per_call(server):
    """Processor time of this process for a call through the provider, beside raw aiohttp doing the same."""
    url = server()
    given = list(rows(1000))
    costs: dict[str, list[float]] = {"raw": [], "openai": []}
    for turn in range(8):
        for name, calls in (("raw", plainly), ("openai", through_openai)):
            began = time.process_time()
            assert asyncio.run(calls(url, iter(given), 64)) == len(given)
            if turn:
                costs[name].append((time.process_time() - began) / len(given) * 1000)
    record("CPU of a call: through openai / raw aiohttp", median(costs["openai"]), median(costs["raw"]), "ms")


@pytest.mark.parametrize("tasks", [1, 4])
def test_throughput_of_a_stage(server, tmp_path, tasks):
    """Answers per second of a whole stage, tables included, beside a plain loop with equal cap and answers."""
    count = 12_000
    url = server("--latency", "1:15")
    (tmp_path / "r.yaml").write_text(
        "name: bench\nsource: {source: mbpp, path: /nowhere.jsonl}\nstages: [ingest]\n"
        f"llm: {{model: openai/fake, base_url: '{url}', max_in_flight: {CAP}, tasks: {tasks}, "
        "parameters: {max_tokens: 500}}\n"
    )
    recipe = load_recipe(str(tmp_path / "r.yaml"))
    settings = load_settings(lake=str(tmp_path / "lake"), session="local", spark_master=f"local[{tasks + 1}]")
    with session(settings, LakeUri.parse(settings.lake)) as spark:
        lake = Lake(spark, LakeUri.parse(settings.lake), run_id="bench")
        lake.ensure()
        run = Run(spark, lake, recipe, settings, "bench", lambda stage, facts: None)
        asked = [(str(n), "story", {"statement": f"{n}. {STATEMENT}"} | OTHER, 0) for n in range(count)]
        warm = replace_names(asked[:8])
        answering.ask(run, "warm", spark.createDataFrame(warm, planned.ASKED)).count()
        frame = run.pin("asked-bench", lambda: spark.createDataFrame(asked, planned.ASKED))
        began = time.monotonic()
        assert answering.ask(run, "bench", frame).where("value IS NOT NULL").count() == count
        stage = time.monotonic() - began
    began = time.monotonic()
    assert asyncio.run(plainly(url, rows(count), CAP)) == count
    plain = time.monotonic() - began
    name = f"512 calls in flight from {tasks} Spark task{'s' * (tasks > 1)}: a whole stage / a plain loop"
    record(name, count / stage, count / plain, "answers/s")


def replace_names(asked: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The same questions with other words, so that none is answered already."""
    return [(name, template, {**values, "statement": f"warm {name}"}, n) for name, template, values, n in asked]


async def executed(terms: Terms, index: int, count: int) -> None:
    async with load_provider("openai").open_provider(terms) as ask:
        done = await Executor(terms, index, ask, Sink(lambda segment: None), "bench").run(
            Feed(batches(count, index * count))
        )
    assert done.answered == count


def test_a_rate_is_kept(server):
    """Two tasks share 1,200 calls a minute for three minutes: what arrives in any minute, and in the middle one."""
    url, per_minute = server("--latency", "0.2:1"), 1200
    terms = Terms("openai", "fake", (Endpoint(url),), tasks=2, max_in_flight=256, requests_per_minute=per_minute)

    async def both() -> list[float]:
        await asyncio.gather(*(executed(terms, index, 1700) for index in range(2)))
        async with aiohttp.ClientSession() as client, client.get(url.replace("/v1", "/_/counts")) as answer:
            return sorted((await answer.json())["times"])

    times = asyncio.run(both())
    inside = [bisect.bisect_left(times, start + 60) - at for at, start in enumerate(times)]
    middle = (times[0] + times[-1]) / 2 - 30
    found = bisect.bisect_left(times, middle + 60) - bisect.bisect_left(times, middle)
    record("a rate: calls in the fullest minute / allowed", max(inside), per_minute, "calls")
    record("a rate: calls in the middle minute / allowed", found, per_minute, "calls")


def test_memory_of_a_task(server):
    """The most memory of a process that makes 1,000 calls, and of one that makes 100,000."""
    url = server()
    code = (
        "import asyncio, sys; sys.path.insert(0, sys.argv[1]); import test_llm_bench as b\n"
        "t = b.Terms('openai', 'fake', (b.Endpoint(sys.argv[2]),), max_in_flight=256)\n"
        "asyncio.run(b.executed(t, 0, int(sys.argv[3])))\n"
        # Not what getrusage tells: that begins with the memory of whoever started the process.
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    peaks = []
    for count in (1000, 100_000):
        argv = [sys.executable, "-c", code, str(Path(__file__).parent), url, str(count)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    record("memory of a task: 100,000 calls / 1,000", peaks[1], peaks[0], "kB")
