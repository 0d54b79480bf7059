"""Each tenant's share of our ClickHouse: its searches do not keep another tenant's from running."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from statistics import quantiles
from threading import Event
from typing import Any

import httpx
import pytest

from functions.query.compile import statement
from functions.query.requests.request import search
from functions.query.results.rows import SearchResult
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.errors import HttpError
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse

SLOTS, CLIENTS = 2, 8
NOISE_SECONDS = 0.1
"""Of a search of some milliseconds on a machine that has other things to do."""

LIMITS = SearchLimits(max_seconds=10, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=1)
EVER = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
HEAVY = {
    **EVER,
    "where": [
        {"field": f"metadata.a.b{number}", "op": "ne", "value": f"not there {number}, é"}
        for number in range(32)
    ],
    "limit": 1,
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseAddress]:
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        warehouse = Warehouse(address, 30)
        metadata = json.dumps({"a": {"text": "x" * 500}})
        for tenant, rows in (("mallory", 20_000), ("alice", 2000)):
            load(warehouse, [staged(metadata, tenant_id=tenant) for _ in range(rows)], f"{tenant}-1")
        warehouse.close()
        yield address


def environment(address: ClickHouseAddress) -> Warehouse:
    """A connection of its own, made already, as Lambda's environments have them."""
    warehouse = Warehouse(address, 30)
    warehouse.select("SELECT 1")
    return warehouse


def find(warehouse: Warehouse, tenant: str, slots: int = SLOTS, **body: Any) -> SearchResult:
    event_search = ManagedSearch(EventSearch(warehouse, LIMITS), slots)
    request = search(json.dumps({**EVER, **body}).encode())
    return event_search.find(TenantId(tenant), statement(request, TenantId(tenant)))


@contextmanager
def busy_slots(address: ClickHouseAddress, tenant: str) -> Iterator[list[Future[SearchResult]]]:
    """All slots of `tenant` hold a search that takes a while."""
    environments = [environment(address) for _ in range(SLOTS)]
    order = {"mode": "slow", "seconds": 3, "count": SLOTS, "statement": "SELECT timestamp"}
    httpx.post(f"http://127.0.0.1:{address.port}/_fault", json=order).raise_for_status()
    with ThreadPoolExecutor(SLOTS) as threads:
        running = []
        for each in environments:
            running.append(threads.submit(find, each, tenant, limit=1))
            time.sleep(0.5)
        yield running


def test_a_tenants_searches_beyond_its_slots_are_refused_and_another_tenants_run(
    address: ClickHouseAddress,
) -> None:
    mallory, alice = environment(address), environment(address)
    with busy_slots(address, "mallory") as running:
        with pytest.raises(HttpError) as refused:
            find(mallory, "mallory", limit=1)
        assert (refused.value.status, refused.value.code) == (429, "too_many_searches")
        assert refused.value.retry_after_seconds == 1
        assert len(find(alice, "alice", limit=5).rows) == 6
    assert [len(each.result().rows) for each in running] == [2, 2]
    assert len(find(mallory, "mallory", limit=1).rows) == 2


@pytest.mark.soak
def test_heavy_searches_of_one_tenant_leave_another_most_of_its_speed(address: ClickHouseAddress) -> None:
    alone = _p95_seconds(address, "alice", 40)
    with _heavy_searches(address, slots=CLIENTS):
        without_shares = _p95_seconds(address, "alice", 40)
    with _heavy_searches(address, slots=SLOTS) as refused:
        with_shares = _p95_seconds(address, "alice", 40)
    assert sum(refused) > 0, "the heavy searches never met their share"
    assert with_shares < 0.7 * without_shares, (alone, with_shares, without_shares)
    if (os.cpu_count() or 1) >= 2 * SLOTS:
        assert with_shares < 2 * alone + NOISE_SECONDS, (alone, with_shares)


@contextmanager
def _heavy_searches(address: ClickHouseAddress, slots: int) -> Iterator[list[int]]:
    """CLIENTS of one tenant search all the time; how many of their searches each had refused."""
    ended, refused = Event(), [0] * CLIENTS

    def search_on(client: int) -> None:
        warehouse = environment(address)
        while not ended.is_set():
            try:
                find(warehouse, "mallory", slots, **HEAVY)
            except HttpError as refusal:
                refused[client] += refusal.code == "too_many_searches"
                time.sleep(refusal.retry_after_seconds or 0)

    with ThreadPoolExecutor(CLIENTS) as threads:
        for client in range(CLIENTS):
            threads.submit(search_on, client)
        time.sleep(2)
        try:
            yield refused
        finally:
            ended.set()


def _p95_seconds(address: ClickHouseAddress, tenant: str, times: int) -> float:
    taken, warehouse = [], environment(address)
    for _ in range(times):
        began = time.monotonic()
        find(warehouse, tenant, limit=10)
        taken.append(time.monotonic() - began)
    return quantiles(taken, n=20)[-1]
