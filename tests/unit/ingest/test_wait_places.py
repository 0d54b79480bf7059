"""Waiting holds no more of ingest than its places, of which a tenant has five."""

import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from itertools import islice
from queue import Queue
from threading import Barrier, Event
from typing import Any

import pytest
from obstore.store import MemoryStore

from functions.ingest.handler import Ingest, answer_to
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.ingest.wait_places import LEASE_SECONDS, PLACES_A_TENANT, WaitPlaces, places_of
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey
from functions.shared.tenancy import TenantId
from infra.topology import function
from tests.integration.http_events import drain_event

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
COUNT = 40


@pytest.fixture
def bucket() -> PlatformBucket:
    return PlatformBucket(MemoryStore())


def count_leases(places: WaitPlaces, tenant: TenantId, times: int, until: ExitStack) -> int:
    """How many of so many attempts have a place, all of them kept until the stack ends."""
    return sum(until.enter_context(places.lease(tenant)) for _ in range(times))


def test_a_tenant_has_five_places_and_its_neighbour_its_own(bucket: PlatformBucket) -> None:
    places = WaitPlaces(bucket, COUNT)
    with ExitStack() as until:
        assert count_leases(places, ACME, 50, until) == PLACES_A_TENANT
        assert count_leases(places, GLOBEX, 1, until) == 1
    with ExitStack() as until:
        assert count_leases(places, ACME, 50, until) == PLACES_A_TENANT, "places are free again"


def test_all_tenants_together_have_so_many_places(bucket: PlatformBucket) -> None:
    with ExitStack() as until:
        taken = sum(count_leases(WaitPlaces(bucket, COUNT), TenantId(f"t{n}"), 10, until) for n in range(100))
        assert taken == COUNT


def test_one_tenant_takes_another_none_of_its_places_but_by_chance() -> None:
    tenants = [TenantId(f"tenant-{number}") for number in range(2000)]
    hostile = set(places_of(ACME, COUNT))
    assert len(hostile) == PLACES_A_TENANT
    assert places_of(ACME, COUNT) == places_of(ACME, COUNT)
    left = [len(set(places_of(tenant, COUNT)) - hostile) for tenant in tenants]
    assert min(left) >= 1
    assert sum(left) / len(left) > PLACES_A_TENANT * 0.8
    assert set().union(*(places_of(tenant, COUNT) for tenant in tenants)) == set(range(COUNT))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_places_are_shared_by_all(bucket: PlatformBucket, count: int) -> None:
    with ExitStack() as until:
        assert count_leases(WaitPlaces(bucket, count), ACME, 10, until) == count
        assert count_leases(WaitPlaces(bucket, count), GLOBEX, 10, until) == 0


def test_environments_that_try_at_once_never_hold_one_place_twice(bucket: PlatformBucket) -> None:
    environments = 16
    together = Barrier(environments)

    def hold(_number: int) -> bool:
        together.wait()
        with WaitPlaces(bucket, COUNT).lease(ACME) as is_taken:
            together.wait()
            return is_taken

    with ThreadPoolExecutor(environments) as pool:
        for _ in range(20):
            assert sum(pool.map(hold, range(environments))) <= PLACES_A_TENANT


def test_a_place_whose_holder_died_is_free_when_its_lease_ends(bucket: PlatformBucket) -> None:
    now = [time.time()]
    places = WaitPlaces(bucket, 1, lambda: now[0])
    dead = places.lease(ACME)
    assert dead.__enter__()
    now[0] += LEASE_SECONDS - 2
    with places.lease(GLOBEX) as is_taken:
        assert not is_taken
    now[0] += 3
    with places.lease(GLOBEX) as is_taken:
        assert is_taken
        dead.__exit__(None, None, None)
        with places.lease(ACME) as again:
            assert not again, "a late release frees nothing of its successor"
    assert function("ingest").timeout_seconds + 2 <= LEASE_SECONDS


@pytest.mark.parametrize(("broken", "used_before"), [("get", True), ("create", False), ("replace", True)])
def test_a_bucket_that_fails_gives_no_place_and_fails_no_request(
    bucket: PlatformBucket, broken: str, used_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = WaitPlaces(bucket, 1)
    if used_before:
        with places.lease(ACME) as is_taken:
            assert is_taken

    def fail(*_: Any) -> Any:
        raise BucketUnavailableError("SlowDown")

    monkeypatch.setattr(bucket, broken, fail)
    with places.lease(ACME) as is_taken:
        assert not is_taken
    monkeypatch.undo()
    with places.lease(ACME) as is_taken:
        assert is_taken
        monkeypatch.setattr(bucket, broken, fail)


def test_requests_without_a_place_are_answered_202_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty environments at the same moment: one tenant holds five of them, and another waits beside it."""
    bucket, waiting, ends = PlatformBucket(MemoryStore()), Queue[str](), Event()

    def wait(_writer: StagingWriter, key: str, _seconds: float) -> bool:
        waiting.put(key)
        ends.wait(60)
        return False

    monkeypatch.setattr(StagingWriter, "wait_until_loaded", wait)

    def send(tenant: str) -> None:
        ingest = Ingest(StagingWriter(bucket), RateLimit(), places=WaitPlaces(bucket, COUNT).lease)
        event = {
            **drain_event(b'[{"message":"a"}]', tenant=tenant),
            "queryStringParameters": {"wait": "true"},
        }
        assert answer_to(event, ingest)["statusCode"] == 202

    with ThreadPoolExecutor(21) as pool:
        try:
            hostile = [pool.submit(send, "acme") for _ in range(20)]
            for each in islice(as_completed(hostile, 30), 20 - PLACES_A_TENANT):
                each.result()
            count_leases = [waiting.get(timeout=30) for _ in range(PLACES_A_TENANT)]
            neighbour = pool.submit(send, "globex")
            count_leases.append(waiting.get(timeout=30))
            assert waiting.empty()
        finally:
            ends.set()
        for each in (*hostile, neighbour):
            each.result()
    assert [StagedKey.parse(key).tenant for key in count_leases] == ["acme"] * PLACES_A_TENANT + ["globex"]
