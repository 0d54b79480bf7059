"""Traces on the real engine: whose events they have, and in what order, in one store and in both."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from bench.in_process import embedded_engine
from functions.query.compile import statement
from functions.query.requests.request import search
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse, refusal
from tests.integration.loading import load, staged
from tests.integration.query_requests import QueryRequests
from tests.integration.stores import FailingStore

EVER = {"since": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
TENANTS = ("acme", "globex")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OBJECTS = ("06b2x5s3dgqkzr0v8m1tnc4f7a", "06b2x5s3dgqkzr0v8m1tnc4f7b")
EVENTS = 6
MANY = 60_000


def _row(tenant: str, store: str, trace_id: str, object_id: str, position: int, second: int) -> bytes:
    return staged(
        '{"duration_ms": 250}',
        tenant_id=tenant,
        trace_id=trace_id,
        span_id=f"span-{position % 2}",
        service=f"{store}-{position % 2}",
        message=f"{tenant} {store} {object_id[-1]}{position}",
        timestamp=f"2026-11-01 12:00:{second:02d}.000000000",
        object_id=object_id,
        position=position,  # type: ignore[arg-type]
    )


def _rows(tenant: str, store: str, trace_id: str = TRACE) -> list[bytes]:
    """All events in one second, in two objects; in no order."""
    rows = [_row(tenant, store, trace_id, each, at, 5) for each in OBJECTS for at in range(EVENTS)]
    Random(store).shuffle(rows)
    return rows


@pytest.fixture(scope="module")
def databases() -> Iterator[tuple[Warehouse, dict[str, Warehouse]]]:
    with embedded_engine() as room:
        ours = room.database("ours")
        own = {tenant: room.database(f"own_{tenant}") for tenant in TENANTS}
        for tenant in TENANTS:
            load(ours, _rows(tenant, "ours"), f"{tenant}-ours")
            load(own[tenant], _rows(tenant, "own"), f"{tenant}-own")
        load(ours, _rows("globex", "ours", "only-globex"), "only-globex")
        others = [staged(trace_id=f"{at:032x}", service=f"s{at % 7}") for at in range(MANY)]
        load(ours, others, "others")
        yield ours, own


@pytest.fixture
def queries(
    databases: tuple[Warehouse, dict[str, Warehouse]], monkeypatch: pytest.MonkeyPatch
) -> QueryRequests:
    return QueryRequests(monkeypatch, databases[0], dict(databases[1]))


def _messages(found: Any) -> list[str]:
    return [event["message"] for event in found["events"]]


def _expected_messages(tenant: str, store: str) -> list[str]:
    return [f"{tenant} {store} {each[-1]}{at}" for each in OBJECTS for at in range(EVENTS)]


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(("plan", "store"), [("managed_30", "ours"), ("byoc", "own")])
def test_a_trace_has_the_callers_events_as_they_were_sent_and_none_of_another_tenant(
    queries: QueryRequests, tenant: str, plan: str, store: str
) -> None:
    queries.managed_until = 0
    status, result = queries.trace(TRACE, tenant, plan, **EVER)
    assert status == 200, result
    assert _messages(result) == _expected_messages(tenant, store)
    assert result["services"] == [f"{store}-0", f"{store}-1"]
    assert [(each["span_id"], each["events"], each["duration_ms"]) for each in result["spans"]] == [
        ("span-0", EVENTS, 250.0),
        ("span-1", EVENTS, 250.0),
    ]
    assert (result["truncated"], result["stats"]["rows_read"] > 0) == (False, True)


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_trace_across_a_move_to_byoc_has_the_events_of_both_stores(
    queries: QueryRequests, tenant: str
) -> None:
    status, result = queries.trace(TRACE, tenant, "byoc", **EVER)
    assert status == 200, result
    assert sorted(_messages(result)) == sorted(
        [*_expected_messages(tenant, "ours"), *_expected_messages(tenant, "own")]
    )
    assert {each["service"] for each in result["spans"]} == {"ours-0", "ours-1", "own-0", "own-1"}


@pytest.mark.parametrize("plan", ["managed_30", "byoc"])
def test_a_longer_trace_is_continued_by_the_search_that_it_names(queries: QueryRequests, plan: str) -> None:
    _, whole = queries.trace(TRACE, "acme", plan, **EVER)
    for limit in (1, 5, len(whole["events"]) - 1):
        _, first = queries.trace(TRACE, "acme", plan, **EVER, limit=limit)
        assert (len(first["events"]), first["truncated"]) == (limit, True)
        status, others = queries.search("acme", plan, **first["next_search"])
        assert status == 200, others
        assert first["events"] + others["events"] == whole["events"]
        assert others["next_cursor"] is None
        _, foreign = queries.search("globex", plan, **first["next_search"])
        assert not [each for each in _messages(foreign) if "acme" in each]


def test_a_trace_of_another_tenant_of_none_or_outside_the_range_is_not_found(
    queries: QueryRequests,
) -> None:
    assert queries.trace("only-globex", "globex", **EVER)[0] == 200
    before = {"since": "2026-01-01T00:00:00Z", "to": "2026-11-01T12:00:05Z"}
    for trace_id, query in (("only-globex", EVER), ("none", EVER), (TRACE, before)):
        for plan in ("managed_30", "byoc"):
            status, result = queries.trace(trace_id, "acme", plan, **query)
            assert (status, result["code"]) == (404, "not_found")


@pytest.mark.parametrize(("code", "status"), [(158, 400), (60, 200)])
def test_half_of_a_trace_is_an_error_and_a_store_without_a_table_has_no_events(
    databases: tuple[Warehouse, dict[str, Warehouse]],
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    status: int,
) -> None:
    own: dict[str, Any] = {"acme": FailingStore(refusal(code))}
    result = QueryRequests(monkeypatch, databases[0], own).trace(TRACE, "acme", "byoc", **EVER)
    assert result[0] == status
    assert status == 400 or _messages(result[1]) == _expected_messages("acme", "ours")


def test_a_trace_without_a_time_range_reads_few_granules(
    databases: tuple[Warehouse, dict[str, Warehouse]],
) -> None:
    """The range is as long as a plan keeps events, so the index over trace ids has to exclude the rest."""
    body = f'{{"trace_id": "{TRACE}", "order": "asc", "from": "2026-01-01T00:00:00Z"}}'.encode()
    compiled = statement(search(body), TenantId("acme"))
    plan = databases[0].select(f"EXPLAIN indexes = 1 {compiled.sql}", compiled.parameters).rows
    lines = [row["explain"].strip() for row in plan]
    at = lines.index("Name: trace_id_bloom")
    granules = next(line for line in lines[at:] if line.startswith("Granules: "))
    read, total = map(int, granules.removeprefix("Granules: ").split("/"))
    assert read <= 2 < total
