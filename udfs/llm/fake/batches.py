"""Files and batches of the fake server: a batch is done when it is asked for, its results in another order."""

from __future__ import annotations

import json
import uuid
from typing import Any

from aiohttp import web

from tasklake.udfs.llm.fake import answers
from tasklake.udfs.llm.fake.faults import chance, fault_of


def add_routes(app: web.Application, state: web.AppKey[Any]) -> None:
    """The application takes files and batches."""

    async def put(request: web.Request) -> web.Response:
        form = await request.post()
        upload = form.get("file")
        data = upload.file.read() if isinstance(upload, web.FileField) else b""
        name = f"file-{uuid.uuid4().hex}"
        request.app[state].files[name] = data
        return web.json_response(
            {"id": name, "object": "file", "bytes": len(data), "purpose": str(form.get("purpose"))}
        )

    async def content(request: web.Request) -> web.Response:
        data = request.app[state].files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    async def create(request: web.Request) -> web.Response:
        fake, asked = request.app[state], await request.json()
        job = {"id": f"batch_{uuid.uuid4().hex}", "object": "batch", "status": "completed"}
        output = f"file-{uuid.uuid4().hex}"
        fake.files[output] = results(fake, fake.files[asked["input_file_id"]])
        fake.jobs[job["id"]] = job | {"input_file_id": asked["input_file_id"], "output_file_id": output}
        return web.json_response(fake.jobs[job["id"]])

    async def job(request: web.Request) -> web.Response:
        found = request.app[state].jobs.get(request.match_info["name"])
        return web.Response(status=404) if found is None else web.json_response(found)

    app.router.add_post("/v1/files", put)
    app.router.add_get("/v1/files/{name}/content", content)
    app.router.add_post("/v1/batches", create)
    app.router.add_get("/v1/batches/{name}", job)


def results(fake: Any, data: bytes) -> bytes:
    """A result line for every request line, in an order of their own."""
    lines = [result(fake, json.loads(text)) for text in data.splitlines() if text.strip()]
    lines.sort(key=lambda line: chance(fake.behaviour.seed, "order", line["custom_id"]))
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def result(fake: Any, line: dict[str, Any]) -> dict[str, Any]:
    """What a batch says of one request."""
    key, body = line["custom_id"], line["body"]
    fake.received[key] += 1
    fault = fault_of(fake.behaviour.faults, fake.behaviour.seed, key, fake.received[key])
    made: dict[str, Any] = {"id": f"batch_req_{uuid.uuid4().hex}", "custom_id": key, "error": None}
    if fault == "error500":
        failed = {"error": {"message": "The server had an error.", "code": "server_error"}}
        return made | {"response": {"status_code": 500, "request_id": key[:16], "body": failed}}
    if fault == "hang":
        return made | {"response": None, "error": {"code": "batch_expired", "message": "Not done in time."}}
    fake.did_answer(key)
    answer = answers.completion(body, key, answers.content(body, fake.behaviour.script, key), fault)
    return made | {"response": {"status_code": 200, "request_id": key[:16], "body": answer}}
