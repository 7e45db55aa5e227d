"""A task as Spark runs it: it may be begun again, and what goes into a plan for it is no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from calls import KEY, rows, terms
from pyspark import cloudpickle

from tasklake.udfs.llm.control import Control
from tasklake.udfs.llm.responses import RESPONSE
from tasklake.udfs.llm.task import Place, calling
from tasklake.udfs.llm.terms import Prices, Purse, Terms

KINDS = {
    "string": pa.string(), "boolean": pa.bool_(), "int": pa.int32(), "bigint": pa.int64(), "double": pa.float64()
}  # fmt: skip


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment, as on a worker."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def test_the_function_that_goes_into_plans_holds_no_key():
    """What Spark ships to workers, classic or Connect, is this function: the key is read where calls are made."""
    place = Place("run", "ours", "", "/lake/_spool", Control("", "/lake/_claims"), pa.schema([("a", pa.string())]))
    assert KEY.encode() not in cloudpickle.dumps(calling(terms("http://127.0.0.1:1/v1"), place))


def attempted(folder: Path, conditions: Terms, given: list[dict[str, Any]]) -> dict[str, Any]:
    """What a task tells at its end that may have been begun before, with the same claims and segments."""
    fields = [pa.field(name, KINDS[kind]) for name, kind in (each.split() for each in RESPONSE.split(", "))]
    control = Control("", str(folder / "claims"))
    control.open_fence("run")
    place = Place("run", "ours", "", str(folder / "segments"), control, pa.schema(fields))
    (told,) = calling(conditions, place)([pa.RecordBatch.from_pylist(given)])
    return told.to_pylist()[0]


def test_a_task_that_is_begun_again_repeats_nothing_and_has_what_is_left_of_its_share(fake_llm, tmp_path):
    """The claim tells of the earlier attempt, whatever number Spark gives this one; every row bears who paid."""
    server, given = fake_llm(), rows(30)
    for most in (10, 10, 15):
        told = attempted(tmp_path, terms(server.url, purse=Purse(calls=most)), given)
        assert (told["answered"], told["failed"], told["stop"]) == (most, 0, "budget")
        assert sum(server.state.received.values()) == most
    assert set(server.state.received.values()) == {1}
    stored = [row for path in (tmp_path / "segments").iterdir() for row in pq.read_table(path).to_pylist()]
    assert {row["recipe"] for row in stored} == {"ours"}


def test_money_of_an_earlier_attempt_is_gone(fake_llm, tmp_path):
    """What the first attempt paid is not there for the second."""
    server = fake_llm()
    dear = terms(server.url, purse=Purse(usd=0.5), prices=Prices(input=10.0, output=1000.0))
    attempted(tmp_path, dear, rows(50))
    before = sum(server.state.received.values())
    assert 0 < before < 50
    attempted(tmp_path, dear, rows(50))
    assert sum(server.state.received.values()) == before
