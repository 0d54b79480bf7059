"""The spans and durations of a trace, and that its response fits and hides nothing."""

import json
from typing import Any

import pytest

from functions.query.event_context import StatementOf
from functions.query.requests.request import search
from functions.query.results.cursor import MANAGED
from functions.query.results.rows import EventRow, SearchResult
from functions.query.traces import DURATION_KEYS, MAX_EVENTS, trace_page
from functions.shared.errors import HttpError
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.tenancy import TenantId
from tests.unit.query.test_search_page import LAMBDA_ANSWER_BYTES, row

ACME = TenantId("acme")
OBJECT = time_ordered_id(1_795_946_400_123)
NOW = 1_793_600_000 * 10**9


class Store:
    """A store that has `rows` in the order asc, and remembers its statements."""

    def __init__(self, *rows: EventRow) -> None:
        self.rows = rows
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def run(self, compiled: StatementOf, order: str, limit: int) -> SearchResult:
        assert order == "asc"
        statement = compiled(MANAGED, True)
        self.asked.append((statement.sql, statement.parameters))
        return SearchResult(self.rows[:limit], 10, 1.0, 100)


def event(at: int, second: float = 0, metadata: Any = None, **changes: Any) -> EventRow:
    timestamp = f"2026-11-01 12:00:{second:012.9f}"
    return row(
        object_id=OBJECT, position=at, timestamp=timestamp, metadata=json.dumps(metadata or {}), **changes
    )


def trace(*rows: EventRow, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(trace_page(Store(*rows).run, ACME, "t", query, 30, lambda: NOW))
    return found


def spans(*rows: EventRow) -> list[tuple[Any, ...]]:
    found = trace(*rows)["spans"]
    return [(each["span_id"], each["service"], each["duration_ms"], each["events"]) for each in found]


def test_events_are_grouped_into_spans_with_times_and_the_worst_level() -> None:
    found = trace(
        event(0, 1, span_id="a", service="web", level="info"),
        event(1, 2, span_id="b", service="api", level="warn"),
        event(2, 2.5, span_id="b", service="api", level="fatal"),
        event(3, 2.75, span_id="b", service="api", level="error"),
        event(4, 3, span_id="a", service="web", level="debug"),
    )
    assert found["spans"] == [
        {
            "span_id": "a",
            "service": "web",
            "start": "2026-11-01T12:00:01.000000000Z",
            "end": "2026-11-01T12:00:03.000000000Z",
            "duration_ms": 2000.0,
            "events": 2,
            "level": "info",
        },
        {
            "span_id": "b",
            "service": "api",
            "start": "2026-11-01T12:00:02.000000000Z",
            "end": "2026-11-01T12:00:02.750000000Z",
            "duration_ms": 750.0,
            "events": 3,
            "level": "fatal",
        },
    ]
    assert [found[name] for name in ("trace_id", "from", "to", "duration_ms", "services")] == [
        "t",
        "2026-11-01T12:00:01.000000000Z",
        "2026-11-01T12:00:03.000000000Z",
        2000.0,
        ["web", "api"],
    ]
    assert [each["id"] for each in found["events"]] == [f"{OBJECT}-{at}" for at in range(5)]
    assert (found["truncated"], found["next_search"]) == (False, None)
    assert found["stats"] == {"rows_read": 10, "bytes_read": 100, "elapsed_ms": 1.0, "partial": False}


def test_one_span_id_in_two_services_is_two_spans_and_events_without_one_are_one_for_each_service() -> None:
    rows = [
        event(0, span_id="a", service="web"),
        event(1, span_id="a", service="api"),
        event(2, span_id="", service="web"),
        event(3, 1, span_id="", service="web"),
        event(4, 1, span_id="", service=""),
    ]
    assert spans(*rows) == [
        ("a", "web", 0.0, 1),
        ("a", "api", 0.0, 1),
        ("", "web", 1000.0, 2),
        ("", "", 0.0, 1),
    ]
    assert trace(*rows)["services"] == ["web", "api"]


@pytest.mark.parametrize(("key", "unit"), DURATION_KEYS.items())
def test_a_duration_in_the_metadata_moves_the_start_of_its_span(key: str, unit: int) -> None:
    found = trace(event(0, 10, {key: 1_500_000_000 / unit}, span_id="a"))
    assert [found["from"], found["to"], found["duration_ms"]] == [
        "2026-11-01T12:00:08.500000000Z",
        "2026-11-01T12:00:10.000000000Z",
        1500.0,
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        '{"duration_ms": -5}',
        '{"duration_ms": "1500"}',
        '{"duration_ms": null}',
        '{"duration_ms": true}',
        '{"duration_ms": 1e308}',
        '{"duration_ms": 1e999}',
        '{"duration_ms": 86400001}',
        '{"duration_ms": [7], "elapsed_ms": 5}',
        '{"a": {"duration_ms": 5}}',
        '{"duration_ms": 5',
        "[5]",
        '{"a":' + "[" * 100_000 + "]" * 100_000 + ', "duration_ms": 5}',
        "",
    ],
)
def test_a_duration_that_cannot_be_is_none(metadata: str) -> None:
    found = trace(row(metadata=metadata))
    assert found["duration_ms"] == 0.0
    assert len(found["spans"]) == 1


def test_a_span_begins_at_the_earliest_in_1970() -> None:
    found = trace(row(timestamp="1970-01-01 00:00:01.000000000", metadata='{"duration_s": 5}'))
    assert found["from"] == "1970-01-01T00:00:00.000000000Z"


def test_a_level_that_is_none_is_below_all_others() -> None:
    (span,) = trace(event(0, level="loud"), event(1, level="trace"), event(2, level=""))["spans"]
    assert span["level"] == "trace"


def test_a_trace_of_more_events_than_the_limit_says_so_and_how_to_read_the_others() -> None:
    rows = [event(at, at) for at in range(5)]
    found = trace(*rows, limit="3")
    assert (len(found["events"]), found["truncated"], found["spans"][0]["events"]) == (3, True, 3)
    following = search(json.dumps(found["next_search"]).encode())
    assert following.after
    assert (following.after.position, following.after.object_id) == (2, OBJECT)
    assert trace(*rows, limit="5")["truncated"] is False


@pytest.mark.parametrize("text", ["\x00", '"', "x", "\\"])
def test_a_response_of_a_thousand_large_events_in_a_thousand_spans_fits(text: str) -> None:
    rows = [
        event(at, span_id=f"{at}{text * 4000}", service=f"{at}{text * 4000}", message=text * 1000)
        for at in range(MAX_EVENTS + 1)
    ]
    content = trace_page(Store(*rows).run, ACME, "t", {}, 30, lambda: NOW)
    sent = json.dumps({"statusCode": 200, "body": content.decode()}, ensure_ascii=False)
    assert len(sent.encode()) < LAMBDA_ANSWER_BYTES
    found = json.loads(content)
    assert found["truncated"]
    assert len(found["spans"]) == len(found["events"]) > 10


def test_one_event_of_the_largest_size_is_shown() -> None:
    content = trace_page(Store(row(message="\x00" * 3_000_000)).run, ACME, "t", {}, 30, lambda: NOW)
    found = json.loads(content)
    assert found["events"][0]["message_cut"] is True
    assert len(json.dumps(content.decode())) < LAMBDA_ANSWER_BYTES


def _range(days: int, **query: str) -> tuple[str, str]:
    store = Store(row())
    trace_page(store.run, ACME, "t", query, days, lambda: NOW)
    ((_, parameters),) = store.asked
    return str(parameters["p0"]), str(parameters["p1"])


def test_the_default_range_is_what_the_plan_keeps_and_a_day_for_clocks_that_are_fast() -> None:
    assert _range(30) == ("2026-10-02 06:13:20.000000000", "2026-11-03 06:13:20.000000000")
    assert _range(3650)[0] == "2016-11-03 06:13:20.000000000"
    assert _range(30, **{"from": "2026-01-01T00:00:00Z"})[0] == "2026-01-01 00:00:00.000000000"
    assert _range(30, **{"from": "now-1d/d"})[0] == "2026-11-01 00:00:00.000000000"
    assert (
        _range(30, **{"from": "2026-10-31", "time_zone": "Asia/Tokyo"})[0] == "2026-10-30 15:00:00.000000000"
    )
    assert _range(30, to="2026-11-01T00:00:00Z") == (
        "2026-10-02 06:13:20.000000000",
        "2026-11-01 00:00:00.000000000",
    )
    assert _range(30, to="2020-01-02T00:00:00Z")[0] == "2020-01-01 00:00:00.000000000"


def test_the_statement_starts_from_the_tenant_and_binds_the_id() -> None:
    poison = "x') OR 1=1 -- "
    store = Store(row())
    trace_page(store.run, ACME, poison, {}, 30, lambda: NOW)
    ((sql, parameters),) = store.asked
    assert "1=1" not in sql
    assert sql.count("FROM events") == sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ")
    assert (parameters["tenant_id"], poison in parameters.values()) == ("acme", True)


@pytest.mark.parametrize("trace_id", ["", "x" * 1025])
def test_an_id_that_no_trace_can_have_is_not_found_without_a_search(trace_id: str) -> None:
    store = Store(row())
    with pytest.raises(HttpError) as refused:
        trace_page(store.run, ACME, trace_id, {}, 30)
    assert (refused.value.status, refused.value.code, store.asked) == (404, "not_found", [])


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ({"limit": "1001"}, "invalid_limit", "1000"),
        ({"limit": "0"}, "invalid_limit", "1"),
        ({"limit": "ten"}, "invalid_limit", "from 1 to 1000"),
        ({"from": "yesterday"}, "invalid_from", "RFC 3339"),
        ({"time_zone": "Mars"}, "invalid_time_zone", ""),
        ({"to": "2026-13-01T00:00:00Z"}, "invalid_to", ""),
        ({"from": "2262-06-01T00:00:00Z"}, "invalid_from", "1970 to 2261"),
        ({"from": "2027-01-02T00:00:00Z"}, "invalid_from", "later"),
        ({"order": "desc"}, "unknown_parameter", "from, to, limit, time_zone"),
        ({"cursor": "x"}, "unknown_parameter", "from, to, limit, time_zone"),
    ],
)
def test_a_wrong_parameter_is_an_error_that_says_what_is_allowed(
    query: dict[str, str], code: str, said: str
) -> None:
    with pytest.raises(HttpError) as refused:
        trace(row(), **query)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert said in refused.value.message
