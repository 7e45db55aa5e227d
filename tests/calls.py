"""Requests of a task and the terms that it makes them under, for tests of calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tasklake.udfs.llm import requests
from tasklake.udfs.llm.templates import find_template
from tasklake.udfs.llm.terms import Endpoint, Terms

# What a test puts where a worker has its key.
KEY = "sk-planted-0123456789abcdef"


def rows(count: int, **parameters: Any) -> list[dict[str, Any]]:
    story = find_template("story")
    other = dict.fromkeys(("input_format", "output_format", "sample"), "One line.")
    return [
        requests.row(
            story,
            "openai/fake",
            {"max_tokens": 50, **parameters},
            story.messages({"statement": f"Task {n}.", **other}),
            0,
        )
        for n in range(count)
    ]


def terms(*urls: str, **more: Any) -> Terms:
    return replace(
        Terms("openai", "fake", tuple(Endpoint(url) for url in urls), timeout_s=2.0, max_in_flight=16), **more
    )
