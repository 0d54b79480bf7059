"""Clients of customers' clouds are kept for their own tenant, and for no longer than credentials may be."""

from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from functions.shared.buckets.customer import CustomerBucket
from functions.shared.byoc.buckets import MAX_KEPT, MAX_KEPT_SECONDS, NoDestinationError
from functions.shared.byoc.clients import ByocClients
from functions.shared.byoc.destination import AccessKey
from functions.shared.byoc.destination_store import Destination, DestinationCache
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


def destination(tenant: TenantId, version: int = 1, word: str = "p", host: str = "ch.example") -> Destination:
    key = SecretText("key")
    address = ClickHouseAddress(host, 8443, True, "u", SecretText(word), "logs")
    return Destination(
        tenant,
        version,
        "logs",
        "us-east-1",
        "https://s3.example",
        AccessKey(key, key),
        address,
        "exactly_once",
        30,
    )


class Stored:
    """functions.shared.byoc.destination_store.DestinationStore, counted."""

    def __init__(self, *destinations: Destination) -> None:
        self.items = {each.tenant: each for each in destinations}
        self.asked: list[str] = []

    def get(self, tenant: TenantId) -> Destination | None:
        self.asked.append(tenant)
        return self.items.get(tenant)


class World:
    def __init__(self, *destinations: Destination) -> None:
        self.now = 0.0
        self.stored = Stored(*destinations)
        recent = DestinationCache(self.stored, clock=lambda: self.now)  # type: ignore[arg-type]
        self.byoc_clients = ByocClients(recent, clock=lambda: self.now)


def test_each_tenant_has_a_client_of_its_own_that_is_kept() -> None:
    here = World(destination(ACME), destination(GLOBEX))
    acme, globex = (here.byoc_clients.bucket(tenant) for tenant in (ACME, GLOBEX))
    assert isinstance(acme, CustomerBucket)
    assert acme is not globex
    assert here.byoc_clients.bucket(ACME) is acme
    warehouse = here.byoc_clients.warehouse(ACME, 30)
    assert isinstance(warehouse, Warehouse)
    assert here.byoc_clients.warehouse(ACME, 30) is warehouse
    assert here.byoc_clients.warehouse(ACME, 20) is not warehouse
    assert here.stored.asked == ["acme", "globex"]


def test_a_changed_destination_is_noticed_within_a_minute_and_at_once_when_forgotten() -> None:
    here = World(destination(ACME))
    before = here.byoc_clients.bucket(ACME)
    # Removed and given anew: the version is 1 again.
    here.stored.items[ACME] = destination(ACME, word="another")
    assert here.byoc_clients.bucket(ACME) is before
    here.now += 61
    after = here.byoc_clients.bucket(ACME)
    assert after is not before
    here.stored.items[ACME] = destination(ACME, word="a third")
    here.byoc_clients.evict(ACME)
    assert here.byoc_clients.bucket(ACME) is not after


def test_an_unchanged_destination_keeps_its_clients_but_not_for_ever() -> None:
    here = World(destination(ACME), destination(GLOBEX))
    before = here.byoc_clients.bucket(ACME)
    here.now += 200
    assert here.byoc_clients.bucket(ACME) is before
    here.now += MAX_KEPT_SECONDS
    here.byoc_clients.bucket(GLOBEX)
    assert ACME not in here.byoc_clients._kept, "another's call is enough for it to go"


def test_so_many_are_kept_and_the_least_used_goes_first() -> None:
    tenants = [TenantId(f"tenant-{number}") for number in range(MAX_KEPT + 5)]
    here = World(*(destination(tenant) for tenant in tenants))
    _with_light_buckets(here.byoc_clients)
    first = here.byoc_clients.bucket(tenants[0])
    for tenant in tenants[1:]:
        here.byoc_clients.bucket(tenant)
        assert here.byoc_clients.bucket(tenants[0]) is first
    assert len(here.byoc_clients._kept) == MAX_KEPT


def test_threads_of_many_tenants_get_their_own() -> None:
    tenants = [TenantId(f"tenant-{number}") for number in range(40)]
    here = World(*(destination(tenant) for tenant in tenants))
    _with_light_buckets(here.byoc_clients)
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(here.byoc_clients.bucket, tenants * 5))
    assert got == [str(tenant) for tenant in tenants * 5]


def test_without_a_destination_there_is_nothing_to_open() -> None:
    with pytest.raises(NoDestinationError):
        World(destination(ACME)).byoc_clients.bucket(GLOBEX)


def test_where_customers_may_not_lead_us_nothing_is_opened() -> None:
    inward = replace(destination(ACME), endpoint="https://127.0.0.1")
    with pytest.raises(AddressRefusedError):
        World(inward).byoc_clients.bucket(ACME)
    with pytest.raises(AddressRefusedError):
        World(destination(ACME, host="127.0.0.1")).byoc_clients.warehouse(ACME, 3).select("SELECT 1")


def _with_light_buckets(byoc_clients: ByocClients) -> None:
    """boto3's clients take tens of milliseconds each to make."""

    def client(tenant: TenantId, _name: Hashable, make: Callable[[Any], Any]) -> Any:
        return original(tenant, "bucket", lambda found: str(found.tenant)) or make

    original = byoc_clients._client
    byoc_clients._client = client  # type: ignore[method-assign]
