"""Destinations are read once a minute for each tenant, and never kept for long."""

from typing import Any

import pytest

from functions.shared.byoc.destination_store import Destination, DestinationCache
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from tests.unit.shared.destinations import destination
from tests.unit.shared.fake_kms import ACME, GLOBEX


class CountingStore:
    """Destinations in memory, which counts what it is asked."""

    def __init__(self, *kept: Destination) -> None:
        self.kept = {each.tenant: each for each in kept}
        self.asked: list[TenantId] = []
        self.down = False

    def get(self, tenant: TenantId) -> Destination | None:
        self.asked.append(tenant)
        if self.down:
            raise StoreUnavailableError("down")
        return self.kept.get(tenant)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def recent(store: CountingStore, **parameters: Any) -> tuple[DestinationCache, Clock]:
    clock = Clock()
    return DestinationCache(store, clock=clock, **parameters), clock  # type: ignore[arg-type]


def test_a_destination_is_read_once_a_minute_and_each_tenant_gets_its_own() -> None:
    store = CountingStore(destination(ACME), destination(GLOBEX))
    cached, clock = recent(store)
    for _ in range(3):
        assert cached.get(ACME) == destination(ACME)
        assert cached.get(GLOBEX) == destination(GLOBEX)
    assert store.asked == [ACME, GLOBEX]

    clock.now += 59.9
    cached.get(ACME)
    assert store.asked == [ACME, GLOBEX]
    clock.now += 0.1
    cached.get(ACME)
    assert store.asked == [ACME, GLOBEX, ACME]


def test_nothing_is_kept_longer_than_five_minutes_whatever_was_asked_for() -> None:
    store = CountingStore(destination(ACME), destination(GLOBEX))
    cached, clock = recent(store, seconds=86_400)
    cached.get(ACME)
    clock.now += 300
    cached.get(GLOBEX)

    assert ACME not in cached._kept
    cached.get(ACME)
    assert store.asked == [ACME, GLOBEX, ACME]


def test_what_was_forgotten_is_read_again_and_others_are_not() -> None:
    store = CountingStore(destination(ACME), destination(GLOBEX))
    cached, _ = recent(store)
    cached.get(ACME)
    cached.get(GLOBEX)
    store.kept[ACME] = destination(ACME, 2)
    cached.evict(ACME)
    cached.evict(TenantId("stranger"))

    assert cached.get(ACME) == destination(ACME, 2)
    assert cached.get(GLOBEX) == destination(GLOBEX)
    assert store.asked == [ACME, GLOBEX, ACME]


def test_neither_unknown_tenants_nor_failures_are_kept() -> None:
    store = CountingStore()
    cached, _ = recent(store)
    assert cached.get(ACME) is None
    store.down = True
    with pytest.raises(StoreUnavailableError):
        cached.get(ACME)
    store.down = False
    store.kept[ACME] = destination(ACME)

    assert cached.get(ACME) == destination(ACME)


def test_only_so_many_are_kept_and_the_oldest_goes_first() -> None:
    tenants = [TenantId(f"tenant-{number}") for number in range(4)]
    store = CountingStore(*(destination(tenant) for tenant in tenants))
    cached, _ = recent(store, max_kept=3)
    for tenant in tenants:
        cached.get(tenant)
    assert list(cached._kept) == tenants[1:]

    for tenant in tenants[1:]:
        cached.get(tenant)
    assert store.asked == tenants
