"""Batch files: what goes out is what the provider takes, what comes in is told apart line by line."""

from __future__ import annotations

import gzip
import json

import pytest
from openai import OpenAI

from tasklake.jobs import cli
from tasklake.jobs.llm import files
from tasklake.udfs.llm import batch, requests
from tasklake.udfs.llm.errors import ErrorClass, LlmError
from tasklake.udfs.llm.secrets import Redactor
from tasklake.udfs.llm.templates import find_template
from tasklake.udfs.llm.terms import Prices

PRICES = Prices(1.0, 10.0)


def rows(count: int):
    story = find_template("story")
    values = dict.fromkeys(story.variables, "text")
    return [
        requests.row(story, "openai/fake", {}, story.messages(values | {"statement": f"{n}"}), 0) for n in range(count)
    ]


def test_requests_are_split_at_what_a_file_may_hold(tmp_path):
    """By number and by size, each line whole, in files named one after the other."""
    given = rows(25)
    by_count = batch.write(given, tmp_path / "r.jsonl", most=10)
    assert [file.path.name for file in by_count] == ["r.jsonl", "r-2.jsonl", "r-3.jsonl"]
    lines = [json.loads(line) for file in by_count for line in file.path.read_text().splitlines()]
    assert [line["custom_id"] for line in lines] == [row["request_key"] for row in given]
    assert {line["url"] for line in lines} == {"/v1/chat/completions"}
    size = 3 * len(batch.line(given[0])) + 10
    by_size = batch.write(given, tmp_path / "s.jsonl", size=size)
    assert all(file.path.stat().st_size == file.bytes <= size for file in by_size)
    assert sum(file.requests for file in by_size) == 25


def test_nothing_to_ask_is_no_file(tmp_path):
    """Without a request nothing is written."""
    assert batch.write([], tmp_path / "r.jsonl") == []
    assert not (tmp_path / "r.jsonl").exists()


def test_an_export_leaves_nothing_of_the_one_before(tmp_path):
    """Old parts would be sent, and paid for, again; an export that fails leaves the old files whole."""
    out = tmp_path / "r.jsonl"
    batch.write(rows(25), out, most=10)

    def failing():
        yield rows(1)[0]
        raise OSError("the lake is gone")

    with pytest.raises(OSError, match="gone"):
        batch.write(failing(), out)
    assert len(out.read_text().splitlines()) == 10
    batch.write(rows(15), out, most=10)
    assert sorted(path.name for path in tmp_path.glob("r*")) == ["r-2.jsonl", "r.jsonl"]
    batch.write([], out)
    assert not list(tmp_path.glob("r*"))
    with pytest.raises(LlmError, match="is no file"):
        batch.write(rows(1), tmp_path)


@pytest.mark.parametrize("structured", [True, False])
def test_the_form_is_asked_for_as_the_recipe_says(tmp_path, structured):
    """A server that answers worse for response_format is not given it in a file either."""
    (file,) = batch.write(rows(1), tmp_path / "r.jsonl", structured)
    assert ("response_format" in json.loads(file.path.read_text())["body"]) is structured


@pytest.mark.parametrize(
    "told",
    [
        {"response": {"status_code": 200, "body": {"choices": [{"message": {"content": "\ud83d"}}]}}},
        {"response": {"status_code": 400, "body": {"error": {"message": "\ud83d"}}}},
        {"error": {"code": "\ud83d"}},
        {"custom_id": "\ud83d"},
    ],
)
def test_half_a_character_can_be_stored(told):
    """A result file spells it as JSON does: no row holds one that no table takes, and a body says what it said."""
    found = batch.read(json.dumps({"custom_id": "x"} | told), "f:1")
    assert all("\ud83d" not in str(each) for each in found.values())
    if "body" in found:
        assert json.loads(found["body"]) == told["response"]["body"]


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "MINE"])
def test_a_key_that_a_result_file_echoes_is_not_stored(monkeypatch, name):
    """That of the hosted API, and those whose variables are named."""
    monkeypatch.setenv(name, "sesame-0123456789")
    told = {"choices": [{"message": {"content": "you sent sesame-0123456789"}}]}
    line = {"custom_id": "x", "body": json.dumps(told), "model": "m", "stage": "s", "recipe": "ours", "prices": "{}"}
    with files.importing(["MINE"]) as measure:
        (row,) = measure(rows(1)[0] | line)
    assert (row["body"], row["recipe"]) == (json.dumps(told).replace("sesame-0123456789", "[key]"), "ours")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"custom_id": 3}', '{"response": {}}', "null", "[" * 9999])
def test_a_line_that_is_no_result_is_told_with_its_place(text):
    """A cut file costs the lines that are missing and no others."""
    assert batch.read(text, "f:7")["wrong"].startswith("f:7")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({"response": {"status_code": 500, "body": {}}}, ErrorClass.SERVER),
        ({"response": {"status_code": 429, "body": {}}}, ErrorClass.RATE),
        ({"response": None, "error": {"code": "batch_expired"}}, ErrorClass.TIMEOUT),
        ({"response": None, "error": None}, ErrorClass.SERVER),
        ({"response": {"status_code": 200, "body": {"choices": []}}}, ErrorClass.MALFORMED),
    ],
)
def test_what_a_line_says_has_its_class(line, kind):
    """Errors of the request, of the batch and of the answer are failures, and cost nothing."""
    request = rows(1)[0]
    found = batch.read(json.dumps({"custom_id": request["request_key"]} | line), "f:1")
    row = batch.imported(found, request, PRICES, Redactor([]))
    assert (row["answered"], row["error_class"], row["cost_usd"]) == (False, kind.value, 0.0)


def test_the_fake_server_takes_a_batch_and_streams_and_lists(fake_llm, tmp_path):
    """The provider's own client uploads, waits and downloads: every request is in the results, in another order."""
    server = fake_llm(faults=["error500:0.2", "hang:0.1"])
    given = rows(40)
    (file,) = batch.write(given, tmp_path / "r.jsonl")
    client = OpenAI(api_key="none", base_url=server.url)
    uploaded = client.files.create(file=file.path, purpose="batch")
    job = client.batches.create(input_file_id=uploaded.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert job.status == "completed"
    results = client.files.content(job.output_file_id or "").text.splitlines()
    by_key = {row["request_key"]: row for row in given}
    found = [batch.read(text, "f:1") for text in results]
    assert [each["custom_id"] for each in found] != list(by_key)
    made = [batch.imported(each, by_key[each["custom_id"]], PRICES, Redactor([])) for each in found]
    assert {row["request_key"] for row in made} == set(by_key)
    assert 0 < sum(not row["answered"] for row in made) < 40
    good = next(row for row in made if row["answered"])
    assert good["cost_usd"] == pytest.approx(PRICES.usd(good["prompt_tokens"], good["answer_tokens"], batch=True))
    parts = client.chat.completions.create(model="fake", messages=[{"role": "user", "content": "hi"}], stream=True)
    assert "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    assert [model.id for model in client.models.list()] == ["fake"]


def test_a_line_longer_than_any_answer_is_wrong(monkeypatch):
    """As a live one it is a failure, or, where it does not even name its request in time, told of with its place."""
    monkeypatch.setattr(batch.responses, "MOST_BODY", 100)
    line = json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": {"text": "x" * 200}}})
    found = batch.read(line, "r.jsonl:1")
    assert (found["custom_id"], found["kind"]) == ("a", ErrorClass.LENGTH)
    monkeypatch.setattr(batch, "MOST_LINE", 200)
    assert batch.read(line, "r.jsonl:1") == {"wrong": "r.jsonl:1: longer than any answer"}


def test_long_answers_are_taken_a_few_at_a_time(monkeypatch):
    """In order, each once, by number or by size."""
    monkeypatch.setattr(files, "CHUNK", 3)
    monkeypatch.setattr(files, "CHUNK_BYTES", 10)
    lines = [{"body": "x" * size} for size in (1, 1, 1, 20, 5, 6, 1)]
    chunks = list(files._chunks(lines))
    assert [len(chunk) for chunk in chunks] == [3, 1, 2, 1]
    assert [line for chunk in chunks for line in chunk] == lines


@pytest.mark.parametrize(
    ("told", "strange"),
    [
        ({"lines": 0}, False),
        ({"lines": 3, "unknown": 2, "wrong": 1}, True),
        ({"lines": 3, "unknown": 1, "repeated": 2}, True),
        ({"lines": 3, "unknown": 2, "failures": 1}, False),
    ],
    ids=["an empty file", "unknown and wrong", "unknown twice", "one is known"],
)
def test_results_of_another_lake_are_told_from_ones_own(told, strange):
    """Where not one line is about a request of the lake."""
    assert files.Imported(**told).strange() is strange


def test_an_import_makes_no_lake(tmp_path, capsys):
    """Whoever mistypes the lake is told so, and finds nothing new."""
    path = tmp_path / "r.jsonl"
    path.write_text("{}")
    assert cli.main(["llm", "import", str(path), "--dir", str(tmp_path / "none")]) == 2
    assert "holds no lake yet" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_mark_at_the_beginning_of_a_file_costs_no_line(tmp_path):
    """Some editors write one to say that the file is UTF-8."""
    path = tmp_path / "r.jsonl"
    path.write_text('{"custom_id": "a", "error": {"code": "batch_expired"}}\n', encoding="utf-8-sig")
    assert [batch.read(*line)["custom_id"] for line in batch.lines(path)] == ["a"]


def test_a_line_of_any_length_is_never_held_whole(tmp_path, monkeypatch):
    """It is told with its place, and the lines behind it count on from there."""
    monkeypatch.setattr(batch, "MOST_LINE", 50)
    path = tmp_path / "r.jsonl"
    path.write_text("x" * 1000 + '\n{"custom_id": "a", "error": {}}\n' + "y" * 120)
    found = list(batch.lines(path))
    assert max(len(text) for text, _ in found) == 51
    assert [place for _, place in found] == [f"{path}:1", f"{path}:2", f"{path}:3"]
    assert [batch.read(*line).get("custom_id") for line in found] == [None, "a", None]


def test_a_compressed_file_is_told_of_as_such(tmp_path):
    """Not as so many wrong lines."""
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}"))
    with pytest.raises(LlmError, match=r"is compressed; unpack it first: gunzip .*r\.jsonl\.gz"):
        next(batch.lines(path), None)
