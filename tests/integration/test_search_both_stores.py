"""Searches in the week after a move to BYOC: the rows of both stores, as if they were in one.

The real engine has three databases: ours, with rows of two tenants, and each tenant's own.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bench.in_process import embedded_engine
from functions.query import handler as querying
from functions.query.searching.byoc_search import ByocSearch
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.shared.warehouse import Warehouse, WarehouseDownError, refusal
from tests.integration.loading import load, staged
from tests.integration.stores import FailingStore, WithoutHttp
from tests.unit.query.test_byoc_search import Keeper, Slots

LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=1)
EVER = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
TENANTS = ("acme", "globex")
NUMBERS = [*range(12), *[7] * 3]
COPIED = 2


class Stores:
    """Our ClickHouse and the tenants' own, behind the handler."""

    def __init__(self, ours: Warehouse, own: dict[str, Any]) -> None:
        self.ours, self.own = ours, own
        self.managed_until = int(time.time()) + 3600

    def find(self, tenant: str, plan: str = "byoc", **body: Any) -> tuple[int, dict[str, Any]]:
        return self.ask("POST /v1/search", tenant, plan, **EVER, **body)

    def ask(self, route: str, tenant: str, plan: str = "byoc", **body: Any) -> tuple[int, dict[str, Any]]:
        verdict = {
            "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "p", "scopes": "read",
            "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
            "plan": plan, "managed_until": str(self.managed_until),
        }  # fmt: skip
        context = {"requestId": "r", "http": {"method": "POST"}, "authorizer": {"lambda": verdict}}
        event = {
            "routeKey": route,
            "requestContext": context,
            "body": json.dumps(body),
        }
        response = querying.handler(event, None)
        return response["statusCode"], json.loads(response["body"])

    def pages(self, tenant: str, **body: Any) -> list[str]:
        """The messages of all pages, in their order."""
        events: list[str] = []
        cursor: str | None = None
        while True:
            status, result = self.find(tenant, cursor=cursor, **body)
            assert status == 200, result
            events += [each["message"] for each in result["events"]]
            cursor = result["next_cursor"]
            if cursor is None:
                return events
            assert len(events) <= 4 * len(NUMBERS), "pages go round in circles"


@pytest.fixture(scope="module")
def databases() -> Iterator[tuple[Warehouse, dict[str, Warehouse]]]:
    """Times interleave, several rows share an instant, some are equal, and one batch was copied as it was."""
    with embedded_engine() as room:
        ours = room.database("ours")
        own = {tenant: room.database(f"own_{tenant}") for tenant in TENANTS}
        for tenant in TENANTS:
            for store, name in ((ours, "ours"), (own[tenant], "own")):
                rows = [_row(tenant, name, number) for number in NUMBERS]
                load(store, rows, f"{tenant}-{name}-1")
                load(store, [_row(tenant, "copied", 5)] * COPIED, f"{tenant}-copied")
        yield ours, own


def _row(tenant: str, store: str, number: int) -> bytes:
    at = f"2026-11-01 12:00:{number // 3:02d}.000000000"
    return staged(tenant_id=tenant, message=f"{tenant} {store} {number}", timestamp=at)


@pytest.fixture
def stores(databases: tuple[Warehouse, dict[str, Warehouse]], monkeypatch: pytest.MonkeyPatch) -> Stores:
    here = Stores(databases[0], dict(databases[1]))

    def managed() -> ManagedSearch:
        return ManagedSearch(EventSearch(WithoutHttp(here.ours), LIMITS), 4)  # type: ignore[arg-type]

    def byoc() -> ByocSearch:
        return ByocSearch(Keeper(**here.own), Slots(), LIMITS, 3)  # type: ignore[arg-type]

    monkeypatch.setattr(querying, "_managed_search", managed)
    monkeypatch.setattr(querying, "_byoc_search", byoc)
    return here


def _expected(tenant: str, *stores: str) -> list[str]:
    copied = [f"{tenant} copied 5"] * COPIED * len(stores)
    return sorted([*copied, *(f"{tenant} {store} {number}" for store in stores for number in NUMBERS)])


def _second(message: str) -> int:
    return int(message.split(" ")[2]) // 3


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("tenant", TENANTS)
def test_pages_hold_each_row_of_both_stores_once_in_order_and_nothing_of_another_tenant(
    stores: Stores, order: str, limit: int, tenant: str
) -> None:
    events = stores.pages(tenant, order=order, limit=limit)
    assert sorted(events) == _expected(tenant, "ours", "own")
    seconds = [_second(each) for each in events]
    assert seconds == sorted(seconds, reverse=order == "desc")


def test_a_cursor_from_before_the_move_continues_after_it_and_when_our_rows_are_deleted(
    stores: Stores,
) -> None:
    body: dict[str, Any] = {"order": "asc", "limit": 5}
    _, before = stores.find("acme", plan="managed_30", **body)
    _, during = stores.find("acme", cursor=before["next_cursor"], **body)
    stores.managed_until = int(time.time())
    _, after = stores.find("acme", cursor=during["next_cursor"], **body)

    first, second, third = ([each["message"] for each in page["events"]] for page in (before, during, after))
    assert len(first) == len(second) == len(third) == body["limit"]
    assert not [each for each in first if " own " in each]
    assert {"ours", "own"} <= {each.split(" ")[1] for each in second}
    assert not [each for each in third if " ours " in each]
    seconds = [_second(each) for each in (*first, *second, *third)]
    assert seconds == sorted(seconds)


def test_after_the_week_only_the_own_store_is_searched(stores: Stores) -> None:
    stores.managed_until = int(time.time()) - 1
    stores.ours = FailingStore(WarehouseDownError("not asked"))  # type: ignore[assignment]
    for tenant in TENANTS:
        assert sorted(stores.pages(tenant, limit=1000)) == _expected(tenant, "own")


@pytest.mark.parametrize(
    ("ours", "own", "code"),
    [
        (WarehouseDownError("x"), None, "search_unavailable"),
        (None, WarehouseDownError("x"), "destination_unavailable"),
        (refusal(158), None, "query_too_heavy"),
        (WarehouseDownError("x"), WarehouseDownError("x"), "destination_unavailable"),
    ],
)
def test_half_of_the_rows_are_never_shown_as_all(
    stores: Stores, ours: Exception | None, own: Exception | None, code: str
) -> None:
    stores.ours = FailingStore(ours) if ours else stores.ours  # type: ignore[assignment]
    stores.own["acme"] = FailingStore(own) if own else stores.own["acme"]
    status, answer = stores.find("acme", limit=5)
    assert (answer["code"], status) == (code, 400 if code == "query_too_heavy" else 503)


COUNTS = "* | stats count() as n by message | where message:*7 | sort message"


@pytest.mark.parametrize("tenant", TENANTS)
def test_stats_cover_the_store_that_is_named_and_nothing_of_another_tenant(
    stores: Stores, tenant: str
) -> None:
    status, result = stores.ask("POST /v1/stats", tenant, query=COUNTS, **EVER)
    assert (status, result["code"]) == (409, "two_stores")
    for store, name in (("byoc", "own"), ("managed", "ours")):
        status, result = stores.ask("POST /v1/stats", tenant, query=COUNTS, store=store, **EVER)
        assert (status, result["rows"]) == (200, [[f"{tenant} {name} 7", NUMBERS.count(7)]])
    stores.managed_until = int(time.time()) - 1
    status, result = stores.ask("POST /v1/stats", tenant, query=COUNTS, **EVER)
    assert result["rows"] == [[f"{tenant} own 7", NUMBERS.count(7)]]


def test_stats_and_completions_before_the_first_load_are_empty(stores: Stores) -> None:
    stores.own["acme"] = FailingStore(refusal(60))
    status, result = stores.ask("POST /v1/stats", "acme", query=COUNTS, store="byoc", **EVER)
    assert (status, result["rows"], len(result["columns"])) == (200, [], 2)
    status, result = stores.ask("POST /v1/query/complete", "acme", query="service:g")
    assert (status, result["completions"]) == (200, [])


@pytest.mark.parametrize(
    ("fault", "code"),
    [(WarehouseDownError("x"), "destination_unavailable"), (refusal(158), "query_too_heavy")],
)
def test_stats_of_a_store_that_fails_are_its_error(stores: Stores, fault: Exception, code: str) -> None:
    stores.own["acme"] = FailingStore(fault)
    status, result = stores.ask("POST /v1/stats", "acme", query=COUNTS, store="byoc", **EVER)
    assert (result["code"], status) == (code, 400 if code == "query_too_heavy" else 503)


def test_before_the_first_load_our_rows_are_found_alone(stores: Stores) -> None:
    stores.own["acme"] = FailingStore(refusal(60))
    assert sorted(stores.pages("acme", limit=9)) == _expected("acme", "ours")
