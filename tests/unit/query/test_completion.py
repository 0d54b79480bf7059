"""What is offered at a position of a query, and which part of the text it replaces."""

import json
from typing import Any

import pytest

from functions.query.complete import complete_page, complete_request, decode_known, known_statement
from functions.query.language.completion import (
    Completion,
    KnownField,
    KnownValue,
    completions,
    wanted,
)
from functions.query.language.parser import parse
from functions.query.language.syntax_tree import FieldRef, Loose
from functions.query.results.table_rows import EMPTY, TableRows
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError

FIELDS = [KnownField(FieldRef("path", name), 3) for name in ("user_id", "status", "level", "odd name")]
VALUES = [KnownValue(Loose("500"), 5), KnownValue("500", 2), KnownValue("5x y", 1)]


def offered(text: str, position: int | None = None) -> list[str]:
    found = wanted(text, len(text) if position is None else position)
    return [each.insert for each in completions(found, FIELDS, VALUES)]


@pytest.mark.parametrize(
    ("text", "inserted"),
    [
        ("ser", ["service:", "user_id:"]),
        ("-ser", ["service:", "user_id:"]),
        ("(a OR ser", ["service:", "user_id:"]),
        ("odd", ["`odd name`:"]),
        ("@lev", ["level:", "@level:"]),
        ("level:", ["trace", "debug", "info", "warn", "error", "fatal"]),
        ("level:(error OR f", ["fatal", "info"]),
        ("@level:5", ["500", '"500"', '"5x y"']),
        ("a | stats count() by level | where level:f", ["fatal", "info"]),
        ("a | stats count() as level | where level:", ["500"]),
        ("`odd name`:5", ["500", '"500"', '"5x y"']),
        ("status:5", ["500", '"500"', '"5x y"']),
        ('status:"5', ["500", '"500"', '"5x y"']),
        ("status:(500 OR 5x", ['"5x y"']),
        ("a | li", ["limit "]),
        ("a | pat", ["patterns "]),
        ("a | patterns ", []),
        ("/a|b/ ser", ["service:", "user_id:"]),
        ('"a | li', []),
        ("a | stats co", ["count("]),
        ("a | stats count(), p9", ["p95(", "p99("]),
        ("a | stats count(user_", ["user_id"]),
        ("a | stats count() b", ["by "]),
        ("a | stats count() by buck", ["bucket("]),
        ("a | stats count() as n by service | sort -", ["service", "n"]),
        ("a | stats count() as n by service | where ", ["service:", "n:"]),
        ("a | where stat", ["status:"]),
        ("a | extract pattern \"<who> x\" | top 5 wh", ["who"]),
        ("a | extract /x/ from mess", ["message"]),
        ("a | limit ", []),
        ("a | sort user_id ", []),
    ],
)  # fmt: skip
def test_what_fits_the_position_is_offered_best_match_first(text: str, inserted: list[str]) -> None:
    found = [each for each in offered(text) if not each.endswith(("AND ", "OR ", "NOT "))]
    assert found[: len(inserted)] == inserted
    assert bool(found) is bool(inserted)


@pytest.mark.parametrize(
    ("text", "position", "replaced"),
    [
        ("serv lev", 4, "serv"),
        ("serv lev", 2, "serv"),
        ("level:err x", 8, "err"),
        ("-sta", 4, "sta"),
        ("", 0, ""),
    ],
)
def test_the_whole_token_at_the_position_is_replaced(text: str, position: int, replaced: str) -> None:
    found = wanted(text, position)
    assert text[found.start : found.end] == replaced


def test_an_inserted_field_and_value_are_a_query() -> None:
    for field in offered("odd"):
        for value in offered(f"{field}5"):
            parse(f"{field}{value}")


def test_every_position_of_a_text_has_an_answer() -> None:
    text = (
        'level:error service:(api OR "w" ' + '| /a|b/ | stats p95(x) by `odd name` | extract pattern "<a> b'
    )
    for position in range(len(text) + 1):
        found = wanted(text, position)
        assert 0 <= found.start <= position <= found.end <= len(text)
        completions(found, FIELDS, VALUES)


def statement_of(text: str, tenant: str) -> Any:
    return known_statement(complete_request(json.dumps({"query": text}).encode()), TenantId(tenant), 10**18)


@pytest.mark.parametrize("tenant", ["acme", "beta"])
@pytest.mark.parametrize("text", ["us", "service:a", "`x')OR 1=1 --`:a"])
def test_names_and_values_are_read_of_the_tenant_only_and_bound(text: str, tenant: str) -> None:
    found = statement_of(text, tenant)
    reads = found.sql.count("FROM events")
    assert found.sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ") == reads > 0
    assert found.parameters["tenant_id"] == tenant
    assert "1=1" not in found.sql


@pytest.mark.parametrize(
    "text", ["level:", "timestamp:", "message:x", "a | st", "a | stats count() as n | sort "]
)
def test_what_needs_no_names_reads_nothing(text: str) -> None:
    assert statement_of(text, "acme") is None


def test_a_page_has_the_range_and_counts() -> None:
    found = complete_request(b'{"query": "status:5"}')
    page = complete_page(found, TableRows([["500", 7], ['"5"', 2]], False, 9, 0.1, 700)).decode()
    assert page == (
        '{"replace":{"start":7,"end":8},"completions":['
        '{"label":"500","insert":"500","kind":"value","count":7},'
        '{"label":"\\"5\\"","insert":"\\"5\\"","kind":"value","count":2}],'
        '"stats":{"rows_read":9,"bytes_read":700,"elapsed_ms":0.1,"partial":false}}'
    )
    assert b'"completions":[]' in complete_page(complete_request(b'{"query": "x | limit "}'), EMPTY)


def test_a_position_behind_the_text_is_refused() -> None:
    with pytest.raises(HttpError) as refused:
        complete_request(b'{"query": "abc", "position": 4}')
    assert refused.value.code == "invalid_position"


def test_a_field_that_is_a_column_has_its_type() -> None:
    (found,) = completions(wanted("timest", 6))
    assert found == Completion("timestamp", "timestamp:", "field", "time")


def test_an_answer_of_a_customers_server_that_is_no_list_of_values_is_unusable() -> None:
    found = complete_request(b'{"query": "user:"}')

    def answer(*rows: dict[str, Any]) -> bytes:
        return json.dumps({"data": rows, "statistics": {"rows_read": 1, "elapsed": 0.1}}).encode()

    sound = answer({"c0": '"ada"', "c1": "2"}, {"c0": "7", "c1": 1})
    assert decode_known(sound, found).rows == [['"ada"', 2], ["7", 1]]
    for value, count in (('"ada', 2), ('"\\ud800"', 2), ("7", "x"), (7, 7)):
        with pytest.raises(UnusableAnswerError):
            decode_known(answer({"c0": value, "c1": count}), found)
