"""One BYOC tenant's slow bucket holds few of ingest's environments; all other tenants notice nothing."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from itertools import islice
from threading import Event, Lock
from typing import Any

import boto3
import obstore
import pytest
from moto import mock_aws
from obstore.store import MemoryStore

from functions.ingest import byoc_targets
from functions.ingest.byoc_targets import ByocTargets
from functions.ingest.handler import Ingest, answer_to
from functions.ingest.rate_limit import RateLimit
from functions.ingest.slow_buckets import (
    BURST_SECONDS,
    COST_SECONDS,
    FREE_SECONDS,
    LEASE_SECONDS,
    LIMITED_SECONDS,
    REQUEST_SECONDS,
    SLOTS,
    SlowBucketError,
    SlowBuckets,
)
from functions.ingest.staging_writer import StagingWriter
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.byoc.buckets import READ_SECONDS
from functions.shared.events.staged_key import is_staged
from functions.shared.http import answering
from functions.shared.notifications import QueueNotifier
from functions.shared.tenancy import TenantId
from infra.topology import function, table
from local.tables import definition
from tests.integration.http_events import drain_event
from tests.unit.ingest.test_byoc_targets import Keeper, Sqs, keys
from tests.unit.shared.endless import bucket_that_answers
from tests.unit.shared.hostile_server import BUSY_SECONDS, dripping, http, silent
from tests.unit.shared.serial import SerialClient

INITECH, HOOLI = TenantId("initech"), TenantId("hooli")
NOON = 1_800_000_000.0
BEFORE = 1
"""Each tenant has sent a batch before."""

TO_LIMIT = int(BURST_SECONDS / COST_SECONDS) + 1
"""So many slow requests at once limit their tenant."""

AT_MOST = int((BURST_SECONDS + LIMITED_SECONDS) / COST_SECONDS) + 5
"""After so many at once, more change nothing."""


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dynamodb() -> Iterator[SerialClient]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(**definition(table("health"), "health"))
        yield SerialClient(client)


@pytest.fixture
def limits(dynamodb: SerialClient, clock: Clock) -> SlowBuckets:
    return SlowBuckets("health", clock, dynamodb)


def be_slow(limits: SlowBuckets, tenant: TenantId, times: int) -> None:
    for _ in range(times):
        limits.charge(tenant)


def admitted(limits: SlowBuckets, tenant: TenantId, times: int, until: ExitStack) -> int:
    """How many of so many requests at once reach their bucket."""
    reached = 0
    for _ in range(times):
        with suppress(SlowBucketError):
            until.enter_context(limits.admitted(tenant))
            reached += 1
    return reached


def test_a_tenant_whose_bucket_was_slow_has_few_requests_at_a_time_and_its_neighbour_all(
    limits: SlowBuckets,
) -> None:
    be_slow(limits, INITECH, TO_LIMIT - 1)
    with ExitStack() as until:
        assert admitted(limits, INITECH, 50, until) == 50, "some slow requests are nothing unusual"
        be_slow(limits, INITECH, 1)
        assert admitted(limits, INITECH, 50, until) == SLOTS
        assert admitted(limits, HOOLI, 50, until) == 50
    with ExitStack() as until:
        assert admitted(limits, INITECH, 50, until) == SLOTS, "leases are free again"


def test_a_slow_request_now_and_then_limits_no_tenant(limits: SlowBuckets, clock: Clock) -> None:
    for _ in range(100):
        be_slow(limits, INITECH, 1)
        clock.now += COST_SECONDS + 0.01
    with ExitStack() as until:
        assert admitted(limits, INITECH, 50, until) == 50


def test_a_bucket_that_recovers_is_used_without_limit_after_five_minutes(
    limits: SlowBuckets, clock: Clock
) -> None:
    be_slow(limits, INITECH, AT_MOST)
    clock.now += LIMITED_SECONDS - 1
    with ExitStack() as until:
        assert admitted(limits, INITECH, 20, until) == SLOTS, "used at once, by few"
    clock.now += 2
    with ExitStack() as until:
        assert admitted(limits, INITECH, 20, until) == 20


def test_what_environments_charge_at_once_adds_up(limits: SlowBuckets, clock: Clock) -> None:
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: be_slow(limits, INITECH, 1), range(40)))
    clock.now += 40 * COST_SECONDS - BURST_SECONDS - 1
    with ExitStack() as until:
        assert admitted(limits, INITECH, 20, until) == SLOTS
    clock.now += 2
    with ExitStack() as until:
        assert admitted(limits, INITECH, 20, until) == 20


def test_fast_answers_in_between_buy_no_further_burst(limits: SlowBuckets, clock: Clock) -> None:
    """A hostile bucket answers fast while it is limited, to be slow again in a burst: it has to wait."""
    be_slow(limits, INITECH, AT_MOST)
    for _ in range(int(LIMITED_SECONDS / 10) - 1):
        clock.now += 10
        with ExitStack() as until:
            assert admitted(limits, INITECH, SLOTS + 1, until) == SLOTS


def test_a_lease_whose_holder_died_ends_by_itself_and_its_late_release_frees_nothing(
    limits: SlowBuckets, clock: Clock
) -> None:
    be_slow(limits, INITECH, AT_MOST)
    dead = [limits.admitted(INITECH) for _ in range(SLOTS)]
    for each in dead:
        each.__enter__()
    clock.now += LEASE_SECONDS - 1
    with ExitStack() as until:
        assert admitted(limits, INITECH, 1, until) == 0
    clock.now += 2
    with ExitStack() as until:
        assert admitted(limits, INITECH, 20, until) == SLOTS
        for each in dead:
            each.__exit__(None, None, None)
        assert admitted(limits, INITECH, 1, until) == 0
    assert function("ingest").timeout_seconds < LEASE_SECONDS


def test_environments_that_try_at_once_never_hold_one_lease_twice(limits: SlowBuckets) -> None:
    be_slow(limits, INITECH, TO_LIMIT)
    with ExitStack() as until, ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: admitted(limits, INITECH, 2, until), range(16))) == SLOTS


def test_without_the_table_no_tenant_is_limited(limits: SlowBuckets, dynamodb: SerialClient) -> None:
    be_slow(limits, INITECH, TO_LIMIT)
    with ExitStack() as until:
        dynamodb.delete_table(TableName="health")
        be_slow(limits, INITECH, 1)
        assert admitted(limits, INITECH, 20, until) == 20


class Customers(PlatformBucket):
    """A customer's bucket. Puts take `seconds`; those of keys that begin with `fails` fail, and may be stored
    all the same.
    """

    def __init__(self) -> None:
        self.store = MemoryStore()
        super().__init__(self.store)
        self.seconds, self.fails, self.is_stored = 0.0, "", False
        self.silence = Event()
        self.silence.set()
        self.inside, self.most_inside = 0, 0
        self._lock = Lock()

    def create(self, key: str, *call: Any) -> str | None:
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        time.sleep(self.seconds)
        self.silence.wait(60)
        with self._lock:
            self.inside -= 1
        is_failing = bool(self.fails) and key.startswith(self.fails)
        etag = super().create(key, *call) if self.is_stored or not is_failing else None
        if is_failing:
            raise BucketUnavailableError("ReadTimeoutError")
        return etag


class World:
    """Tenants and what all environments share; each request is that of an environment of its own."""

    def __init__(self, limits: SlowBuckets) -> None:
        self.ours = MemoryStore()
        self.theirs, self.others = Customers(), Customers()
        keeper = Keeper(initech=self.theirs, hooli=self.others)
        self.sqs = Sqs()
        self.targets = ByocTargets(keeper, QueueNotifier("staged-byoc", "ingest", self.sqs), limits)  # type: ignore[arg-type]

    def send(self, tenant: str, **headers: str) -> tuple[int, float]:
        """The status, and the seconds that the environment was held."""
        event = drain_event(
            b'[{"message":"a"}]', {name.replace("_", "-"): each for name, each in headers.items()}, tenant
        )
        if tenant != "acme":
            event["requestContext"]["authorizer"]["lambda"]["plan"] = "byoc"
        ingest = Ingest(StagingWriter(PlatformBucket(self.ours)), RateLimit(), self.targets)
        began = time.monotonic()
        response = answering(lambda each: answer_to(each, ingest))(event, None)
        seconds = time.monotonic() - began
        if response["statusCode"] != 202:
            assert json.loads(response["body"])["code"] == "destination_unavailable"
            assert response["headers"]["retry-after"] in ("1", "2")
        return response["statusCode"], seconds


@pytest.fixture
def here(limits: SlowBuckets, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(byoc_targets, "FREE_SECONDS", 0.2)
    world = World(limits)
    for tenant in ("acme", "initech", "hooli"):  # what is loaded late
        assert world.send(tenant)[0] == 202
    return world


def test_requests_to_a_silent_bucket_hold_few_environments(here: World, limits: SlowBuckets) -> None:
    """Those that came before the limit, and as many as there are leases; the others do not wait."""
    here.theirs.fails, here.theirs.silence = "staged/", Event()
    with ThreadPoolExecutor(60) as pool:
        try:
            first = [pool.submit(here.send, "initech") for _ in range(TO_LIMIT)]
            wait_until_limited(limits, INITECH)
            later = [pool.submit(here.send, "initech") for _ in range(40)]
            done = [each.result()[0] for each in islice(as_completed(later, 60), 40 - SLOTS)]
            neighbours = [here.send(tenant)[0] for tenant in ("acme", "hooli") for _ in range(10)]
            held = here.theirs.inside
        finally:
            here.theirs.silence.set()
    assert (held, done) == (TO_LIMIT + SLOTS, [503] * (40 - SLOTS))
    assert here.others.most_inside == 1
    assert neighbours == [202] * 20
    assert {each.result()[0] for each in first + later} == {503}


def wait_until_limited(limits: SlowBuckets, tenant: TenantId) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with ExitStack() as leases:
            if admitted(limits, tenant, SLOTS + 1, leases) == SLOTS:
                return
        time.sleep(0.05)
    raise AssertionError("the tenant is not limited")


@pytest.mark.parametrize(
    "script",
    [
        lambda _: silent(),
        lambda _: dripping(http("Content-Length: 5000")),
        lambda _: [http("Content-Length: 0", status="503 Slow Down")],
    ],
    ids=["silent", "dripping", "overloaded"],
)
def test_a_request_to_a_hostile_server_ends_in_time(
    here: World, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over real sockets, with the timeouts of a customer's client."""
    monkeypatch.setattr(byoc_targets, "REQUEST_SECONDS", 1.0)
    with bucket_that_answers(script, READ_SECONDS) as (bucket, _):
        here.targets._byoc_clients.buckets["initech"] = bucket  # type: ignore[attr-defined]
        status, seconds = here.send("initech", idempotency_key="k1")
    assert (status, seconds < 1 + 2 + BUSY_SECONDS) == (503, True)
    assert [here.send(tenant)[0] for tenant in ("acme", "hooli")] == [202, 202]


def test_a_limited_tenant_is_answered_at_once_and_served_again_when_the_bucket_recovers(
    here: World, limits: SlowBuckets, clock: Clock
) -> None:
    be_slow(limits, INITECH, AT_MOST)
    assert [here.send("initech")[0] for _ in range(10)] == [202] * 10, "one after the other"
    with ExitStack() as until:
        admitted(limits, INITECH, SLOTS, until)
        before = len(keys(here.theirs.store))
        status, seconds = here.send("initech")
        assert (status, len(keys(here.theirs.store))) == (503, before)
        assert seconds < 1
        assert [here.send(tenant)[0] for tenant in ("acme", "hooli")] == [202, 202]
        clock.now += LIMITED_SECONDS + 1
        assert here.send("initech")[0] == 202
    assert not any("initech" in key for store in (here.ours, here.others.store) for key in keys(store))


def test_a_bucket_of_normal_latency_is_never_limited(
    here: World, dynamodb: SerialClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byoc_targets, "FREE_SECONDS", FREE_SECONDS)
    here.theirs.seconds = 0.3
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda n: here.send("initech", idempotency_key=f"k{n}"), range(40)))
    assert {status for status, _ in answers} == {202}
    assert dynamodb.scan(TableName="health")["Items"] == [], "nothing is written for it"


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize("part", ["idempotency/", "staged/"])
def test_a_key_whose_put_timed_out_is_stored_once(here: World, part: str, is_stored: bool) -> None:
    """Its mark or its object, stored or not: the same key comes to the same object."""
    here.theirs.fails, here.theirs.is_stored = part, is_stored
    for _ in range(3):
        assert here.send("initech", idempotency_key="k1")[0] == 503
    here.theirs.fails = ""
    for tenant in ("initech", "initech", "hooli"):
        assert here.send(tenant, idempotency_key="k1")[0] == 202
    for bucket in (here.theirs, here.others):
        staged = [key for key in keys(bucket.store) if is_staged(key)]
        assert len(staged) == 1 + BEFORE, "another tenant's key is its own"


def test_managed_tenants_read_no_account(here: World, dynamodb: SerialClient) -> None:
    dynamodb.delete_table(TableName="health")
    here.targets = lambda _caller: pytest.fail("no target of a customer")  # type: ignore[assignment]
    assert here.send("acme")[0] == 202
    assert len(list(obstore.list(here.ours))) == 1


def test_a_request_with_slow_calls_and_a_wait_ends_before_the_function_does() -> None:
    botocore_sleeps_seconds = 2
    staging, waiting = REQUEST_SECONDS + botocore_sleeps_seconds, 20 + FREE_SECONDS + botocore_sleeps_seconds
    assert staging + waiting < function("ingest").timeout_seconds
