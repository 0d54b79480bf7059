"""One event and its neighbours: what is asked for, and that the response fits."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.query.event_context import (
    DEFAULT_NEIGHBOURS,
    MAX_NEIGHBOURS,
    RANGES_NS,
    ContextRequest,
    Run,
    StatementOf,
    context_page,
    context_request,
    event_page,
)
from functions.query.results.cursor import MANAGED
from functions.query.results.rows import EventRow, SearchResult
from functions.query.searching.event_id import EventId, format_id, parse_id
from functions.query.searching.event_statements import event_statement
from functions.query.times import MAX
from functions.shared.errors import HttpError
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.tenancy import TenantId
from tests.unit.query.test_search_page import LAMBDA_ANSWER_BYTES, row

ACME = TenantId("acme")
OBJECT = time_ordered_id(1_795_946_400_123)


class Store:
    """A store that has `rows` in the order asc, and remembers its statements."""

    def __init__(self, *rows: EventRow, at: int = 0) -> None:
        self.rows, self.at = rows, at
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def run(self, compiled: StatementOf, order: str, limit: int) -> SearchResult:
        statement = compiled(MANAGED, True)
        self.asked.append((statement.sql, statement.parameters))
        if len(self.asked) == 1:
            return SearchResult(self.rows[self.at : self.at + 1], 10, 1.0, 100)
        some = self.rows[self.at + 1 :] if order == "asc" else self.rows[: self.at][::-1]
        return SearchResult(some[:limit], 10, 1.0, 100)


def events(count: int, **changes: Any) -> list[EventRow]:
    return [row(object_id=OBJECT, position=number, **changes) for number in range(count)]


def context(store: Store, before: int, after: int, scope: Any = "service") -> dict[str, Any]:
    wanted = ContextRequest(before, after, scope)
    found: dict[str, Any] = json.loads(context_page(store.run, ACME, f"{OBJECT}-{store.at}", wanted))
    return found


def positions(shown: list[dict[str, Any]]) -> list[int]:
    return [int(event["id"].rpartition("-")[2]) for event in shown]


def test_the_context_is_in_the_order_in_which_it_was_sent() -> None:
    found = context(Store(*events(9), at=4), 2, 3)
    assert positions(found["before"]) == [2, 3]
    assert positions([found["event"]]) == [4]
    assert positions(found["after"]) == [5, 6, 7]
    assert (found["more_before"], found["more_after"]) == (True, True)


def test_at_the_ends_there_is_nothing_more() -> None:
    found = context(Store(*events(3), at=1), 5, 1)
    assert (positions(found["before"]), positions(found["after"])) == ([0], [2])
    assert (found["more_before"], found["more_after"]) == (False, False)


def test_none_on_a_side_still_says_whether_there_are_more() -> None:
    found = context(Store(*events(3), at=1), 0, 0)
    assert (found["before"], found["after"]) == ([], [])
    assert (found["more_before"], found["more_after"]) == (True, True)


def test_the_response_has_the_cost_of_all_its_statements() -> None:
    store = Store(*events(9), at=4)
    found = context(store, 2, 2)
    assert found["stats"] == {"rows_read": 30, "bytes_read": 300, "elapsed_ms": 3.0, "partial": False}
    assert len(store.asked) == 3


def test_neighbours_are_looked_for_further_away_only_when_they_are_too_few() -> None:
    store = Store(*events(2), at=1)
    context(store, 1, 1)
    assert len(store.asked) == 1 + 2 * len(RANGES_NS)
    assert [len(parameters) for _, parameters in store.asked[1:]][2] < len(store.asked[1][1])


@pytest.mark.parametrize("text", ["\x00", '"', "x"])
def test_a_context_of_large_events_fits_into_a_response_and_has_the_nearest(text: str) -> None:
    large = events(21, message=text * 300_000)
    content = context_page(Store(*large, at=10).run, ACME, f"{OBJECT}-10", ContextRequest(10, 10, "all"))
    sent = json.dumps({"statusCode": 200, "body": content.decode()}, ensure_ascii=False)
    assert len(sent.encode()) < LAMBDA_ANSWER_BYTES
    found = json.loads(content)
    assert positions([found["event"]]) == [10]
    assert positions(found["before"]) == list(range(10 - len(found["before"]), 10))
    assert found["more_before"]
    assert found["more_after"]


@pytest.mark.parametrize("scope", ["service", "stream", "all"])
def test_every_statement_starts_from_the_tenant_and_binds_what_the_event_has(scope: str) -> None:
    poison = "x') OR 1=1 -- "
    store = Store(*events(3, service=poison, project_id=poison, metadata=json.dumps({"host": poison})), at=1)
    context(store, 1, 1, scope)
    for sql, parameters in store.asked:
        assert "1=1" not in sql
        assert sql.count("FROM events") == sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ")
        assert parameters["tenant_id"] == "acme"


def test_a_stream_is_a_project_a_service_and_the_place_that_the_metadata_names() -> None:
    metadata = {"host": "h1", "k8s": {"pod": {"name": "p1"}}, "pod": 7, "user": "u"}
    store = Store(*events(3, metadata=json.dumps(metadata)), at=1)
    context(store, 1, 1, "stream")
    sql, parameters = store.asked[1]
    bound = [value for value in parameters.values() if isinstance(value, str)]
    assert {"gateway", "shop", '=host="h1"'} <= set(bound)
    assert any("p1" in value for value in bound)
    assert not any(value.startswith(("=user", "=pod")) for value in bound)
    assert "service = " in sql
    assert "project_id = " in sql


def test_metadata_that_is_no_json_leaves_a_stream_without_a_place() -> None:
    store = Store(*events(3, metadata='{"host":'), at=1)
    assert positions(context(store, 1, 1, "stream")["after"]) == [2]


def test_an_event_is_found_by_its_id_and_its_time_of_receipt() -> None:
    store = Store(*events(5), at=3)
    found = json.loads(event_page(store.run, ACME, f"{OBJECT}-3"))
    assert positions([found["event"]]) == [3]
    ((sql, parameters),) = store.asked
    assert "received_at >= " in sql
    assert {"2026-11-29 09:59:59.123000", "2026-11-29 10:00:01.123000"} <= set(map(str, parameters.values()))


def _smallest_context(run: Run, tenant: TenantId, event_id: str) -> bytes:
    return context_page(run, tenant, event_id, ContextRequest(1, 1, "all"))


IDS = {
    "of no object": "x-1",
    "without a position": OBJECT,
    "a position beyond its type": f"{OBJECT}-{2**32}",
    "a negative position": f"{OBJECT}--1",
    "leading zeros": f"{OBJECT}-01",
    "empty": "",
    "other digits": f"{OBJECT}-\u0661",
    "with white space": f"{OBJECT}-1\n",
    "capitals": f"{OBJECT.upper()}-1",
    "long": f"{OBJECT}p{'1' * 1000}-1",
}


@pytest.mark.parametrize("text", IDS.values(), ids=IDS)
@pytest.mark.parametrize("ask", [event_page, _smallest_context])
def test_an_id_that_no_event_can_have_is_not_found_without_a_search(
    text: str, ask: Callable[..., bytes]
) -> None:
    store = Store(*events(1))
    with pytest.raises(HttpError) as refused:
        ask(store.run, ACME, text)
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    assert store.asked == []


def test_an_id_is_read_as_it_was_written() -> None:
    for object_id in (OBJECT, f"{OBJECT}p000003"):
        text = format_id(object_id, 17)
        assert text
        assert parse_id(text) == EventId(object_id, 17, 1_795_946_400_123)
    assert format_id("", 0) is None


def test_the_parameters_have_defaults_and_bounds() -> None:
    assert context_request({}) == ContextRequest(DEFAULT_NEIGHBOURS, DEFAULT_NEIGHBOURS, "service")
    query = {"before": "0", "after": str(MAX_NEIGHBOURS), "scope": "all"}
    assert context_request(query) == ContextRequest(0, MAX_NEIGHBOURS, "all")


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ({"before": "501"}, "invalid_before", "0 to 500"),
        ({"before": "-1"}, "invalid_before", "0 to 500"),
        ({"after": ""}, "invalid_after", "0 to 500"),
        ({"after": "1e2"}, "invalid_after", "0 to 500"),
        ({"after": "\u0661"}, "invalid_after", "0 to 500"),
        ({"after": "9" * 10_000}, "invalid_after", "0 to 500"),
        ({"scope": "host"}, "invalid_scope", "service, stream, all"),
        ({"befor": "1"}, "unknown_parameter", "before, after, scope"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_allowed(
    query: dict[str, str], code: str, said: str
) -> None:
    with pytest.raises(HttpError) as refused:
        context_request(query)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert said in refused.value.message


@pytest.mark.parametrize(
    "object_id",
    ["7" + "z" * 25, "z" * 26, time_ordered_id(MAX // 1_000_000)],
    ids=["largest time", "no time", "first time too late"],
)
def test_an_id_of_a_time_that_no_event_can_have_is_no_id(object_id: str) -> None:
    assert parse_id(f"{object_id}-0") is None
    with pytest.raises(HttpError) as refused:
        event_page(Store().run, ACME, f"{object_id}-0")
    assert refused.value.code == "not_found"


def test_the_statement_of_the_last_id_has_times_that_the_engine_can_hold() -> None:
    wanted = parse_id(f"{time_ordered_id(MAX // 1_000_000 - 1)}-0")
    assert wanted
    assert "2262-01-01" not in str(event_statement(ACME, wanted).parameters)
