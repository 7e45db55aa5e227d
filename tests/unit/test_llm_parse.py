"""A stored answer is read as what it is: a value of the wanted form, or an error with its class; never an exception."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklake.udfs.llm.errors import ErrorClass
from tasklake.udfs.llm.parse import _blocks, content_of, parsed
from tasklake.udfs.llm.responses import answered, facts
from tasklake.udfs.llm.terms import Prices

SCHEMA = json.dumps(
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
)


def body(content: str | None, finish: str = "stop", **message: object) -> str:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return json.dumps({"id": "x", "model": "m", "choices": [choice]})


GOOD = {
    "plain": '{"a": "b"}',
    "fenced": 'Here it is:\n```json\n{"a": "b"}\n```\nDone.',
    "the last block counts": '```json\n{"a": 1}\n```\nBetter:\n```\n{"a": "b"}\n```\n',
    "after a thought": '<think>{"a": 1}</think>\n{"a": "b"}',
}
BAD = {
    "no completion": ("{}", ErrorClass.MALFORMED),
    "no JSON at all": ("]", ErrorClass.MALFORMED),
    "a list": ("[1]", ErrorClass.MALFORMED),
    "nothing": (body(None), ErrorClass.MALFORMED),
    "blank": (body("  \n"), ErrorClass.MALFORMED),
    "prose": (body("I think so."), ErrorClass.MALFORMED),
    "a key twice": (body('{"a": "b", "a": "c"}'), ErrorClass.MALFORMED),
    "NaN": (body('{"a": NaN}'), ErrorClass.MALFORMED),
    "a bomb": (body("[" * 100_000), ErrorClass.MALFORMED),
    "half a character": (body('{"a": "\\ud800"}'), ErrorClass.MALFORMED),
    "another type": (body('{"a": 1}'), ErrorClass.SCHEMA),
    "a key too many": (body('{"a": "b", "c": 1}'), ErrorClass.SCHEMA),
    "a number that JSON cannot hold": (body('{"a": "b", "c": 1e999}'), ErrorClass.SCHEMA),
    "cut off": (body('{"a": "b"}', "length"), ErrorClass.LENGTH),
    "filtered": (body('{"a": "b"}', "content_filter"), ErrorClass.REFUSAL),
    "refused": (body(None, refusal="no"), ErrorClass.REFUSAL),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_the_value_is_found(content):
    """Bare, in a block, or behind what a model says beside it."""
    assert json.loads(parsed(body(content), SCHEMA).value or "") == {"a": "b"}


@pytest.mark.parametrize(("text", "kind"), BAD.values(), ids=BAD)
def test_an_error_has_its_class_and_a_sentence(text, kind):
    """No value, the class, and words that say what is wrong."""
    found = parsed(text, SCHEMA)
    assert (found.value, found.error) == (None, kind)
    assert found.message


def test_without_a_schema_the_text_is_the_value():
    """Prose and programs are not looked into; half characters are refused all the same."""
    assert parsed(body("<think>hm</think>print(1)"), "").value == "print(1)"
    assert parsed(body("\ud800"), "").error is ErrorClass.MALFORMED


@pytest.mark.parametrize(
    "text",
    [
        body("prose \ud83d"),
        body('{"a": "\ud83d"}'),
        body('{"\ud83d": "b"}'),
        body('{"a": ["\ud83d"]}'),
        body(None, refusal="\ud83d, no"),
        body("x", refusal=["\ud83d"]),
    ],
)
def test_what_is_told_of_half_a_character_can_be_stored(text):
    """The message and the content that is shown to the model again are texts that a table takes."""
    found = parsed(text, SCHEMA)
    assert found.error
    assert "\ud83d" not in found.message + content_of(text)


FENCES = st.lists(
    st.sampled_from(["```", "```json", "``` ", "``` x", " ```", "```json\t", "a", "", "{}", "````", "\r"])
)


@given(FENCES, st.sampled_from(["\n", "\r\n"]))
def test_blocks_are_what_stands_between_two_fences(lines, end):
    """The same as one expression finds, which takes a time that grows with the square of the fences."""
    slow = re.compile(r"^```(?:json)?[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
    assert _blocks(end.join(lines)) == slow.findall(end.join(lines))


@pytest.mark.timeout(60)
def test_fences_without_end_are_read_in_one_go():
    """An answer of a megabyte of them ends at once; it took hours."""
    assert parsed(body("```json\n" * 130_000), SCHEMA).error is ErrorClass.MALFORMED


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_body_raises(value):
    """Whatever a provider sends, reading it ends in a value or an error, and its tokens in a number."""
    for text in (json.dumps(value), json.dumps({"choices": value}), json.dumps({"choices": [{"message": value}]})):
        parsed(text, SCHEMA)
        assert facts(text)["cached_tokens"] >= 0


def test_tokens_that_are_not_told_are_estimated():
    """A budget is kept with providers that tell nothing, and the row says that it is an estimate."""
    row = answered({"request_key": "k", "prompt_tokens": 30}, body("x" * 300), Prices(1.0, 10.0))
    assert row["tokens_estimated"]
    assert row["prompt_tokens"] == 30
    assert row["answer_tokens"] >= 100
    assert row["cost_usd"] > 0


def test_cached_tokens_have_their_price():
    """Usage as OpenAI tells it, with the cached part of the prompt priced as such."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}
    text = json.dumps(json.loads(body("x")) | {"usage": usage})
    row = answered({"request_key": "k", "prompt_tokens": 30}, text, Prices(1.0, 10.0, 0.1))
    assert row["cost_usd"] == pytest.approx((600 * 1.0 + 400 * 0.1 + 100 * 10.0) / 1e6)


@pytest.mark.parametrize(
    ("content", "schema"),
    [
        ('{"a": ' + "[" * 980 + "]" * 980 + "}", {"type": "object"}),
        ('{"a": 1e999}', {"type": "object"}),
        ('{"a": 1e999}', {"properties": {"a": {"multipleOf": 0.5}}}),
        ('{"a": ' + "9" * 400 + "}", {"properties": {"a": {"multipleOf": 0.5}}}),
    ],
    ids=["as deep as can be read", "infinite", "a part of infinite", "a part of a long number"],
)
def test_a_value_that_is_no_json_any_more_is_no_value(content, schema):
    """What Python reads and cannot write, or cannot count with, is an error of the form and never an exception."""
    found = parsed(body(content), json.dumps(schema))
    assert found.value is None or json.loads(found.value) is not None
    # How deep can be read depends on how deep the reader is called.
    assert found.error in (None, ErrorClass.SCHEMA, ErrorClass.MALFORMED)
    assert "Infinity" not in str(found.value)


def test_a_count_of_tokens_that_cannot_be_is_estimated():
    """A provider that lies neither empties a budget nor stops a rate for good."""
    request = {"request_key": "k", "prompt_tokens": 100}
    told = json.loads(body("x")) | {"usage": {"prompt_tokens": 2**39, "completion_tokens": 2**39}}
    row = answered(request, json.dumps(told), Prices(1.0, 1.0))
    assert row["tokens_estimated"]
    assert row["prompt_tokens"] == 100
    assert row["answer_tokens"] < 100
