"""What a server answers to a SELECT: rows of ClickHouse's form, or an error that says whose it is."""

import json
from typing import Any

import pytest

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.secret_text import SecretText
from functions.shared.warehouse import OutcomeUnknownError, Selection, UnusableAnswerError, Warehouse

STATISTICS = {"rows_read": 3, "elapsed": 0.25}


class Answering(Warehouse):
    """A warehouse whose server answers everything with `content`."""

    def __init__(self, content: bytes) -> None:
        super().__init__(ClickHouseAddress("127.0.0.1", 1, False, "u", SecretText("p"), "d"), 1)
        self._content = content

    def _run(self, *_: Any) -> bytes:
        return self._content


def test_rows_and_what_they_cost_are_read() -> None:
    content = json.dumps({"meta": [], "data": [{"a": 1}], "rows": 1, "statistics": STATISTICS}).encode()
    assert Answering(content).select("SELECT 1") == Selection([{"a": 1}], 3, 250.0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[" * 200_000,
        b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"meta":' + b'{"a":' * 100_000,
        b"[]",
        b"5",
        b"null",
        b'"text"',
        b'{"data":[]}',
        b'{"statistics":{"rows_read":1,"elapsed":1}}',
        json.dumps({"data": {}, "statistics": STATISTICS}).encode(),
        json.dumps({"data": None, "statistics": STATISTICS}).encode(),
        json.dumps({"data": [1], "statistics": STATISTICS}).encode(),
        json.dumps({"data": [[1]], "statistics": STATISTICS}).encode(),
        json.dumps({"data": [], "statistics": [1]}).encode(),
        json.dumps({"data": [], "statistics": {"rows_read": None, "elapsed": 1}}).encode(),
        json.dumps({"data": [], "statistics": {"rows_read": 1, "elapsed": [1]}}).encode(),
        b'{"data":[],"statistics":{"rows_read":1e999,"elapsed":1}}',
        b'{"data":[],"statistics":{"rows_read":NaN,"elapsed":1}}',
        b'{"data":[],"statistics":{"rows_read":' + b"9" * 10_000 + b',"elapsed":1}}',
        b'{"data":["\xff"]}',
    ],
    ids=lambda content: repr(content[:30]),
)
def test_what_is_not_of_clickhouses_form_is_an_unusable_answer(content: bytes) -> None:
    with pytest.raises(UnusableAnswerError):
        Answering(content).select("SELECT 1")


@pytest.mark.parametrize(
    "rows", [[], [{}], [{"n": None}], [{"n": "x"}], [{"n": [1]}], [{"n": float("inf")}], [{"n": 1}, {"n": 1}]]
)
def test_an_aggregate_without_its_one_number_is_an_unusable_answer(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(UnusableAnswerError):
        Selection(rows, 0, 0.0).whole("n")


@pytest.mark.parametrize("rows", [[], [{}], [{"t": 5}], [{"t": None}], [{"t": "a"}, {"t": "a"}]])
def test_an_aggregate_without_its_one_text_is_an_unusable_answer(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(UnusableAnswerError):
        Selection(rows, 0, 0.0).text("t")


def test_a_number_is_read_as_the_engine_writes_it() -> None:
    assert Selection([{"n": "18446744073709551615"}], 0, 0.0).whole("n") == 2**64 - 1
    assert Selection([{"t": "MergeTree"}], 0, 0.0).text("t") == "MergeTree"


def test_an_unusable_answer_may_hide_a_statement_that_ran() -> None:
    assert issubclass(UnusableAnswerError, OutcomeUnknownError)
