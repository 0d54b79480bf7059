"""Searches through the real engine, against a model of what they mean."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from functions.query.compile import Statement, statement
from functions.query.requests.request import search
from functions.query.results.page import page
from functions.query.searching.event_id import parse_id
from functions.query.searching.event_search import TOO_HEAVY_CODES, EventSearch, SearchLimits
from functions.query.searching.event_statements import event_statement
from functions.query.tokens import key_token, value_tokens
from functions.shared.errors import HttpError
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse, WarehouseBusyError, WarehouseRefusedError
from tests.examples import examples
from tests.integration.loading import load, staged
from tests.integration.search_model import Event, found
from tests.integration.search_samples import (
    EVENTS,
    EVER,
    KEYS,
    SCALARS,
    TENANTS,
    VALUES,
    bodies,
    query_of_terms,
    row_of,
)
from tests.integration.warehouse_process import clickhouse

READ_ONLY = 164
LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=2)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        connected = Warehouse(address, 30)
        for number in range(0, len(EVENTS), 100):
            load(connected, [row_of(event) for event in EVENTS[number : number + 100]], f"batch-{number}")
        yield connected
        connected.close()


Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ask(warehouse: Warehouse) -> Ask:
    event_search = EventSearch(warehouse, LIMITS)

    def ask(tenant: str = "acme", **body: Any) -> dict[str, Any]:
        request = search(json.dumps(body).encode())
        answer: dict[str, Any] = json.loads(
            page(request, event_search.find(statement(request, TenantId(tenant))))
        )
        return answer

    return ask


def _all(ask: Ask, tenant: str = "acme", **body: Any) -> list[dict[str, Any]]:
    """Every event, page by page."""
    events: list[dict[str, Any]] = []
    answer = ask(tenant, **body)
    while True:
        events += answer["events"]
        if answer["next_cursor"] is None:
            return events
        assert answer["events"], "an empty page has no next one"
        assert len(events) <= len(EVENTS), "pages go round in circles"
        answer = ask(tenant, **body, cursor=answer["next_cursor"])


def _shown(event: dict[str, Any]) -> tuple[Any, ...]:
    return (
        event["project_id"], event["timestamp"], event["level"], event["service"], event["message"],
        event["trace_id"], json.dumps(event["metadata"]),
    )  # fmt: skip


def _expected(event: Event) -> tuple[Any, ...]:
    return (
        event.project_id, event.timestamp, event.level, event.service, event.message,
        event.trace_id, json.dumps(json.loads(event.metadata)),
    )  # fmt: skip


@examples(75, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies, tenant=st.sampled_from(TENANTS))
def test_a_search_finds_what_the_model_finds_and_nothing_of_another_tenant(
    ask: Ask, body: dict[str, Any], tenant: str
) -> None:
    body = {**EVER, **body}
    expected = found(EVENTS, tenant, body)
    if len(expected) / body["limit"] > 40:
        body["limit"] = 50
    events = _all(ask, tenant, q=query_of_terms(body.pop("terms", [])), **body)
    assert Counter(map(_shown, events)) == Counter(map(_expected, expected))
    times = [event["timestamp"] for event in events]
    assert times == sorted(times, reverse=body["order"] == "desc")


@pytest.mark.parametrize("raw", [value for value in VALUES if not value.startswith(("[", "{"))])
def test_every_value_is_found_by_itself_with_its_type(ask: Ask, raw: str) -> None:
    value = json.loads(raw)
    body = {**EVER, "where": [{"field": "metadata.k", "op": "eq", "value": value}], "limit": 1000}
    assert Counter(map(_shown, _all(ask, **body))) == Counter(map(_expected, found(EVENTS, "acme", body)))


@pytest.mark.parametrize("field", ["metadata.k", "metadata.a.b", "metadata.duration_ms"])
def test_a_thousand_values_of_all_types_find_what_each_of_them_finds(ask: Ask, field: str) -> None:
    others = [*(f"id-{n}-{n}" for n in range(300)), *range(100_000, 100_300), *(f"t{n}" for n in range(300))]
    wanted = [*SCALARS[::2], *others][:1000]
    body = {**EVER, "where": [{"field": field, "op": "in", "value": wanted}], "limit": 1000}
    assert Counter(map(_shown, _all(ask, **body))) == Counter(map(_expected, found(EVENTS, "acme", body)))


def test_a_time_finer_than_a_column_equals_none_of_its_times(ask: Ask, warehouse: Warehouse) -> None:
    received = "2026-11-01 12:00:07.000001"
    load(warehouse, [staged(tenant_id="times", received_at=received)], "times-1")
    exact, finer = "2026-11-01T12:00:07.000001Z", "2026-11-01T12:00:07.000001001Z"
    counts = [
        len(_all(ask, "times", **EVER, where=[{"field": "received_at", "op": "in", "value": times}]))
        for times in ([exact], [finer], [finer, finer], [finer, exact])
    ]
    assert counts == [1, 0, 0, 1]


@pytest.mark.parametrize("values", [1000, 4000])
def test_a_thousand_plain_values_of_a_column_are_searched(ask: Ask, values: int) -> None:
    where = [
        {"field": field, "op": "in", "value": [f"{field}-{n}" for n in range(999)] + ["gateway", "error"]}
        for field in ("service", "project_id", "message", "trace_id")[: values // 1000]
    ]
    body = {**EVER, "where": [{**each, "value": each["value"][-1000:]} for each in where], "limit": 1000}
    assert Counter(map(_shown, _all(ask, **body))) == Counter(map(_expected, found(EVENTS, "acme", body)))


def test_false_the_text_false_and_zero_are_three_things(ask: Ask) -> None:
    counts = [
        len(_all(ask, **EVER, where=[{"field": "metadata.a", "op": "eq", "value": value}]))
        for value in (False, "false", 0)
    ]
    expected = [
        len(found(EVENTS, "acme", {**EVER, "where": [{"field": "metadata.a", "op": "eq", "value": value}]}))
        for value in (False, "false", 0)
    ]
    assert counts == expected
    assert min(counts) > 0


@pytest.mark.parametrize(("limit", "order"), [(1, "desc"), (2, "asc"), (13, "asc"), (13, "desc")])
def test_equal_rows_are_separate_rows_and_none_is_skipped_or_repeated(
    ask: Ask, limit: int, order: str
) -> None:
    body = {**EVER, "levels": ["error"], "services": ["auth"], "order": order, "limit": limit}
    assert Counter(map(_shown, _all(ask, **body))) == Counter(map(_expected, found(EVENTS, "acme", body)))


def test_pages_stay_what_they_were_while_logs_arrive_and_parts_merge(ask: Ask, warehouse: Warehouse) -> None:
    load(warehouse, [staged(tenant_id="growing", message=f"first {n % 3}") for n in range(30)], "grow-1")
    expected = Counter(event["message"] for event in _all(ask, "growing", **EVER, limit=4))
    seen: list[str] = []
    answer = ask("growing", **EVER, limit=4)
    arrived = 2
    while True:
        seen += [event["message"] for event in answer["events"]]
        if answer["next_cursor"] is None:
            break
        late = [staged(tenant_id="growing", message="late", timestamp="2026-11-01 12:00:09.000000000")]
        load(warehouse, late, f"grow-{arrived}")
        warehouse.command("OPTIMIZE TABLE events FINAL")
        arrived += 1
        answer = ask("growing", **EVER, limit=4, cursor=answer["next_cursor"])
    assert Counter(seen) == expected
    assert arrived > 5


def test_a_cursor_keeps_the_time_range_of_its_first_page(ask: Ask, warehouse: Warehouse) -> None:
    now = datetime.now(UTC)
    stamps = [f"{now - timedelta(seconds=second):%Y-%m-%d %H:%M:%S.%f}000" for second in (5, 4, 3, 2)]
    load(warehouse, [staged(tenant_id="recent", timestamp=stamp) for stamp in stamps], "recent-1")
    first = ask("recent", limit=2, order="asc")
    later = [staged(tenant_id="recent", timestamp=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}000")]
    load(warehouse, later, "recent-2")
    second = ask("recent", limit=2, order="asc", cursor=first["next_cursor"])
    assert len(first["events"]) == len(second["events"]) == 2
    assert second["next_cursor"] is None


def test_metadata_is_returned_to_the_byte(warehouse: Warehouse) -> None:
    text = '{ "b" : 1.50,\t"a":[ 1e2 , "\\u00e9" ], "a" : 9007199254740993.0 }'
    load(warehouse, [staged(text, tenant_id="bytes")], "bytes-1")
    request = search(json.dumps(EVER).encode())
    answer = page(request, EventSearch(warehouse, LIMITS).find(statement(request, TenantId("bytes"))))
    assert text.encode() in answer


@pytest.mark.parametrize(
    "metadata",
    [
        '{"a":' * 900 + "1" + "}" * 900,
        '{"a":' + "9" * 5000 + "}",
        '{"a":1,"a":"x","a":null}',
        '{"a.b":1,"a":{"b":2}}',
        '{"a\\u0000b":"\\u0000"}',
        '{"a":1e999}',
        '{"a":"\\ud800"}',
        '{"a":"' + "x" * 1_000_000 + '"}',
        '{"' + "k" * 1_000_000 + '":1}',
        "{" + ",".join(f'"k{n}":{n}' for n in range(100_000)) + "}",
    ],
    ids=["deep", "digits", "twice", "dotted", "nul", "overflow", "surrogate", "value", "key", "keys"],
)
def test_hostile_metadata_is_stored_and_shown(
    warehouse: Warehouse, metadata: str, request: pytest.FixtureRequest
) -> None:
    tenant = request.node.callspec.id
    load(warehouse, [staged(metadata, tenant_id=tenant)], f"hostile-{tenant}")
    shown = warehouse.select("SELECT metadata FROM events WHERE tenant_id = {t:String}", {"t": tenant}).rows
    assert [row["metadata"] for row in shown] == [metadata]
    asked = search(
        json.dumps({**EVER, "where": [{"field": "metadata.none", "op": "ne", "value": 1}]}).encode()
    )
    assert metadata.encode() in page(
        asked, EventSearch(warehouse, LIMITS).find(statement(asked, TenantId(tenant)))
    )


def test_a_batch_is_one_part_and_loading_it_again_adds_nothing(warehouse: Warehouse) -> None:
    rows = [staged(tenant_id="again", message=f"line {n}") for n in range(20_000)]
    load(warehouse, rows, "again-1")
    parts = warehouse.select(
        "SELECT uniqExact(_part) AS parts, count() AS rows FROM events WHERE tenant_id = 'again'"
    ).rows
    assert parts == [{"parts": 1, "rows": 20_000}]
    load(warehouse, rows, "again-1")
    counted = warehouse.select("SELECT count() AS rows FROM events WHERE tenant_id = 'again'").rows
    assert counted == [{"rows": 20_000}]


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.one_of(st.sampled_from(KEYS), st.text(st.characters(exclude_categories=["Cs"]), max_size=140)),
    value=st.one_of(
        st.none(), st.booleans(), st.integers(-2000, 2000), st.floats(-2000, 2000),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=34),
        st.from_regex(r"[a-z/_.-]{0,12}[0-9]{0,4}[ -~]{0,16}", fullmatch=True),
    ),
)  # fmt: skip
def test_the_index_and_the_search_agree_which_values_are_indexed(
    warehouse: Warehouse, key: str, value: Any
) -> None:
    rows = warehouse.select(
        "WITH {metadata:String} AS metadata SELECT " + _token_expression(warehouse) + " AS tokens",
        {"metadata": json.dumps({key: value})},
    ).rows
    held = {bytes(token, "utf-8") for token in rows[0]["tokens"]}
    own_key = key_token(key)
    assert {token for token in held if token.startswith(b"?")} == ({own_key.encode()} if own_key else set())
    ours = {token.encode() for token in value_tokens(key, value)}
    valued = {token for token in held if token.startswith(b"=")}
    assert valued <= ours
    assert bool(valued) is bool(ours)


def _token_expression(warehouse: Warehouse) -> str:
    rows = warehouse.select(
        "SELECT default_expression AS expression FROM system.columns "
        "WHERE database = currentDatabase() AND table = 'events' AND name = 'metadata_tokens'"
    ).rows
    return str(rows[0]["expression"])


@pytest.mark.parametrize(
    ("index", "body"),
    [
        ("trace_id_bloom", {"trace_id": "c" * 32}),
        ("message_words", {"q": "needle"}),
        ("message_words", {"q": '"needle in a haystack"'}),
        ("metadata_tokens_text", {"where": [{"field": "metadata.k", "op": "eq", "value": "eu"}]}),
        ("metadata_tokens_text", {"where": [{"field": "metadata.k", "op": "exists"}]}),
        (
            "metadata_tokens_text",
            {"where": [{"field": "metadata.k", "op": "in", "value": [f"v{n}" for n in range(1000)]}]},
        ),
        (
            "metadata_tokens_text",
            {"where": [{"field": "metadata.rare", "op": "in", "value": [f"u-{n:06}" for n in range(999)]}]},
        ),
        (
            "trace_id_bloom",
            {"where": [{"field": "trace_id", "op": "in", "value": [f"{n:032}" for n in range(1000)]}]},
        ),
        ("metadata_tokens_text", {"where": [{"field": "metadata.rare", "op": "gt", "value": 12345}]}),
        ("timestamp_range", {}),
        ("metadata_words", {"where": [{"field": "metadata.k", "op": "eq", "value": "id-4711-0815"}]}),
        (
            "metadata_words",
            {"where": [{"field": "metadata.k", "op": "in", "value": ["id-4711-0815", "ip.1"]}]},
        ),
    ],
)
def test_each_index_is_used_by_the_searches_it_is_for(
    warehouse: Warehouse, index: str, body: dict[str, Any]
) -> None:
    compiled = statement(search(json.dumps({**EVER, **body}).encode()), TenantId("acme"))
    plan = warehouse.select(f"EXPLAIN indexes = 1 {compiled.sql}", compiled.parameters).rows
    assert f"Name: {index}" in "\n".join(row["explain"] for row in plan)


def test_an_event_is_looked_up_by_the_index_of_its_time_of_receipt(warehouse: Warehouse) -> None:
    wanted = parse_id(f"{time_ordered_id()}-7")
    assert wanted
    compiled = event_statement(TenantId("acme"), wanted)
    plan = warehouse.select(f"EXPLAIN indexes = 1 {compiled.sql}", compiled.parameters).rows
    assert "Name: received_range" in "\n".join(row["explain"] for row in plan)


def test_a_search_that_takes_too_much_is_refused_with_advice(warehouse: Warehouse) -> None:
    tight = EventSearch(warehouse, replace(LIMITS, max_result_bytes=1000))
    request = search(json.dumps({**EVER, "limit": 1000}).encode())
    with pytest.raises(HttpError) as refused:
        tight.find(statement(request, TenantId("acme")))
    assert (refused.value.status, refused.value.code) == (400, "query_too_heavy")


def test_a_search_runs_read_only_and_leaves_the_engine_writable(warehouse: Warehouse) -> None:
    event_search = EventSearch(warehouse, LIMITS)
    with pytest.raises(HttpError) as refused:
        event_search.find(Statement("CREATE TABLE intruder (a Int8) ENGINE = Memory", {}))
    assert isinstance(refused.value.__cause__, WarehouseBusyError)
    assert refused.value.__cause__.engine_code == READ_ONLY
    load(warehouse, [staged(tenant_id="after")], "after-1")
    request = search(json.dumps(EVER).encode())
    assert len(event_search.find(statement(request, TenantId("after"))).rows) == 1


@pytest.mark.parametrize(
    ("profile", "limit"),
    [
        ({"result_overflow_mode": "break"}, {"max_result_rows": 3, "max_block_size": 4}),
        ({"limit": 2}, {}),
    ],
    ids=["result", "limit"],
)
def test_no_profile_of_a_server_makes_a_result_partial(
    warehouse: Warehouse, profile: dict[str, Any], limit: dict[str, Any]
) -> None:
    """The settings of a user's profile, which those of a statement replace."""
    asked = statement(search(json.dumps({**EVER, "limit": 10}).encode()), TenantId("acme"))

    def run(settings: dict[str, Any]) -> int:
        content = warehouse.select_json(asked.sql, asked.parameters, {**profile, **limit, **settings})
        return len(json.loads(content)["data"])

    assert run({}) < 11, "the profile truncates"
    settings = {name: value for name, value in LIMITS.settings().items() if name != "readonly"}
    if limit:
        with pytest.raises((WarehouseBusyError, WarehouseRefusedError)) as stopped:
            run(settings)
        assert stopped.value.engine_code in TOO_HEAVY_CODES
    else:
        assert run(settings) == 11
