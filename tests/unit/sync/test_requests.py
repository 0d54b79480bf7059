"""What sync asks of DynamoDB and S3 for 10,000 events, and how large an item of the ledger can be."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random
from secrets import token_hex
from string import ascii_letters, digits
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from functions.shared.buckets.contract import Bucket, ExpectedObject, ObjectBody
from functions.shared.events.staged_key import StagedKey, base32
from functions.shared.tables.ledger import COMMITS_A_PAGE
from functions.shared.tenancy import TenantId, own_destination
from functions.sync.batch_processor import OWNER_BYTES, BatchProcessor, Deadline
from functions.sync.ledger import Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.packed_manifest import MAX_MANIFEST_BYTES, pack, packed_bytes, unpack
from functions.sync.plan import MAX_OBJECTS, plan
from functions.sync.settle import Settler
from infra.cost.idle import CONNECTIONS
from infra.cost.usage import CLAIM_BYTES, UNITS_A_PAGE, batch_bytes, ledger_units
from infra.topology import table
from local import transactions
from local.tables import definition
from tests.unit.sync.write_units import A_UNIT_BYTES, WriteMeter, item_bytes, units

ACME, GLOBEX = TenantId("acct-5f0c1b7a9d3e48a2b6c4"), TenantId("acct-e83ad02b71c94f6f95d1")
DAY, EXPIRES_ON, NOON = date(2026, 11, 30), date(2026, 12, 30), 1_800_000_000.0
EVENTS = 10_000
MAX_ITEM_BYTES, MAX_KEY_BYTES = 400 * A_UNIT_BYTES, 1024
"""What DynamoDB accepts of an item, and S3 of a key."""

ITEM_OVERHEAD_BYTES = 100
"""What DynamoDB adds to each stored item."""

LETTERS = ascii_letters + digits

A_BATCH = {"BatchGetItem": 1, "PutItem": 1, "BatchExecuteStatement": 1, "UpdateItem": 1}
"""The claims are looked up; the batch with its lease, its claims, and its commit to the log are written."""

A_PROCESS = {"GetItem": 1, "UpdateItem": 1}
"""A new process reads and extends the tip of the commit log. The first commit to a page enters an index."""

EXPECTED = {
    10: ({**A_BATCH, "BatchGetItem": 10, "PutItem": 2, "BatchExecuteStatement": 40}, 1_039),
    100: ({**A_BATCH, "BatchExecuteStatement": 4}, 107),
    500: (A_BATCH, 25),
    1_000: (A_BATCH, 14),
    5_000: (A_BATCH, 6),
}  # fmt: skip
"""Events a request -> requests to DynamoDB by operation, besides A_PROCESS, and write units.

The version before docs/adr/0053 took 2,961, 306, 68, 36 and 14 units, that before docs/adr/0064 1,044, 113,
30, 19 and 11. The second PutItem of a batch is its manifest.
"""


class CountedBucket:
    """Has every object that sync expects, and counts its calls."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def get(self, _key: str, expected: ExpectedObject) -> ObjectBody:
        self.calls["get"] += 1
        return ObjectBody(memoryview(b"frame"), expected.etag)

    def delete(self, _keys: Any) -> None:
        self.calls["delete"] += 1


class NoTable(EventsTable):
    """Accepts everything."""

    def __init__(self) -> None: ...

    def insert(self, batch: Any, frames: bytes) -> None: ...


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    transactions.install()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(**definition(table("ledger"), "ledger"))
        yield client


def staged(chance: Random, count: int, events_each: int) -> Iterator[StagedObject]:
    """Objects of two tenants with keys as ingest makes them."""
    for number in range(count):
        object_id = base32(1_764_500_000_000 + number << 80 | chance.getrandbits(80))
        raw_bytes = 421 * events_each + chance.randrange(100 * events_each)
        tenant = (ACME, GLOBEX)[number % 2]
        key = StagedKey(tenant, DAY, object_id, events_each, raw_bytes, EXPIRES_ON)
        yield StagedObject(str(key), f"{chance.getrandbits(128):032x}", 80 * events_each)


def settled(ledger: Any, bucket: CountedBucket, events_each: int) -> None:
    """Settle EVENTS events, in objects of `events_each`."""
    objects = list(staged(Random(events_each), EVENTS // events_each, events_each))
    driver = BatchProcessor(ledger, StagingBucket(cast(Bucket, bucket)), NoTable())
    done = Settler(ledger, driver, today=lambda: DAY).settle(objects, Deadline(lambda: 60.0, 30.0))
    assert len(done) == len(objects)


@pytest.mark.parametrize("events_each", EXPECTED)
def test_ten_thousand_events_take_so_many_requests_and_write_units(client: Any, events_each: int) -> None:
    meter, bucket = WriteMeter(client, "ledger"), CountedBucket()
    settled(Ledger("ledger", lambda: NOON, client), bucket, events_each)
    requests, most_units = EXPECTED[events_each]

    assert meter.requests == Counter(requests) + Counter(A_PROCESS)
    assert 0.95 * most_units <= meter.units <= most_units
    assert bucket.calls["get"] == EVENTS // events_each
    assert bucket.calls["delete"] == 1


def test_the_units_that_the_bill_counts_are_those_of_the_code(client: Any) -> None:
    """Of a batch without a manifest of its own, and of one with; the metering of a batch is billing's."""
    ledger = Ledger("ledger", lambda: NOON, client)
    settled(ledger, CountedBucket(), 5_000)
    for events_each in (1_000, 500, 100):
        meter = WriteMeter(client, "ledger")
        settled(ledger, CountedBucket(), events_each)
        assert meter.units == ledger_units(EVENTS // events_each)


def test_the_pages_of_the_commit_log_cost_what_the_bill_counts(client: Any) -> None:
    """Several processes append, and each finds out by itself that a page is full."""
    ledgers = [Ledger("ledger", lambda: NOON, client) for _ in range(CONNECTIONS)]
    count, pages = 20 * COMMITS_A_PAGE, 20
    batches = [ledgers[0].create_batch(plan([each])[0]) for each in staged(Random(9), count, 1_000)]
    for ledger in ledgers:
        ledger.create_batch(plan(staged(Random(id(ledger)), 1, 1_000))[0])
    meter = WriteMeter(client, "ledger")
    for number, batch in enumerate(batches):
        assert batch
        page = ledgers[number % CONNECTIONS]._commits.page("managed")
        ledgers[number % CONNECTIONS].done(replace(batch, page=page))
    into_the_index = pages
    assert 0.8 * pages * UNITS_A_PAGE <= meter.units - count - into_the_index <= pages * UNITS_A_PAGE


def test_a_page_and_its_metering_marks_are_one_unit(client: Any) -> None:
    """A full page of a customer's own log, whose name is the longest, with all that it can have."""
    ledger = Ledger("ledger", lambda: NOON, client)
    destination = own_destination(ACME)
    for each in staged(Random(4), COMMITS_A_PAGE, 100):
        batch = ledger.create_batch(plan([each], destination)[0])
        assert batch
        ledger.done(batch)
    item = client.get_item(TableName="ledger", Key={"entry": {"S": f"log#{destination}#0"}})["Item"]
    assert len(item["commits"]["L"]) == COMMITS_A_PAGE
    marks = {"metered": {"N": "25"}, "metered_shares": {"N": "999"}}
    assert units(item | marks | {"entry": {"S": f"log#{destination}#99999999"}}) == 1


@pytest.mark.parametrize("count", [1, 2, 11, 110, MAX_OBJECTS])
def test_stored_claims_and_batches_are_as_large_as_the_bill_counts(client: Any, count: int) -> None:
    ledger = Ledger("ledger", lambda: NOON, client)
    assert ledger.create_batch(plan(staged(Random(count), count, 100))[0], token_hex(OWNER_BYTES), 95)
    sizes = Counter[str]()
    pages = client.get_paginator("scan").paginate(TableName="ledger")
    for item in (item for page in pages for item in page["Items"]):
        kind = item["entry"]["S"].partition("#")[0]
        sizes[kind] += ITEM_OVERHEAD_BYTES + item_bytes(item)
    assert 0.95 * CLAIM_BYTES * count <= sizes["object"] <= CLAIM_BYTES * count
    assert 0.7 * batch_bytes(count) <= sizes["batch"] + sizes["manifest"] <= batch_bytes(count)


@pytest.mark.parametrize("count", [1, 5, 20, 99, 300, MAX_OBJECTS])
def test_a_retry_pays_for_a_small_manifest_only_and_done_for_none(client: Any, count: int) -> None:
    """A seal that excludes nothing is no write."""
    ledger = Ledger("ledger", lambda: NOON, client)
    (manifest,) = plan(staged(Random(count), count, 100))
    batch = ledger.create_batch(manifest)
    assert batch
    meter = WriteMeter(client, "ledger")
    lease = ledger.lease(batch.batch_id, "me", 60)
    assert lease
    batch = ledger.resume(lease)
    ledger.done(ledger.seal(batch, frozenset()))
    leased, commit, index = {20: 2, 99: 4}.get(count, 1), 1, 1
    assert meter.units == leased + commit + index
    ledger.seal(batch, frozenset([batch.members[0].key]))
    assert meter.units == leased + commit + index + leased


def hostile(tenant: TenantId) -> list[StagedObject]:
    """Objects with the longest keys that S3 permits and sync accepts, of random letters and digits."""
    chance = Random(str(tenant))
    start, end = f"staged/v1/tenant={tenant}/day=2026-11-30/", "-r1-b300-x20261230.ndjson.zst"
    room = MAX_KEY_BYTES - len(start) - len(end)
    keys = ("".join(chance.choices(LETTERS, k=room)) for _ in range(MAX_OBJECTS))
    return [StagedObject(f"{start}{each}{end}", f"{chance.getrandbits(256):064x}-9", 9_999) for each in keys]


def test_the_largest_batch_of_hostile_keys_fits_into_an_item(client: Any) -> None:
    """In their own bucket customers choose the keys. The keys of 1,000 objects alone are 1,024,000 bytes."""
    meter = WriteMeter(client, "ledger")
    ledger = Ledger("ledger", lambda: NOON, client)
    for tenant in (ACME, GLOBEX):
        manifests = plan(hostile(tenant), own_destination(tenant))
        assert [len(each.objects) for each in manifests] == [325, 325, 325, 25]
        for manifest in manifests:
            batch = ledger.create_batch(manifest)
            assert batch
            assert ledger.batch(batch.batch_id).manifest.objects == manifest.objects
            assert ledger.seal(batch, frozenset(each.key for each in batch.members)).members == ()
            assert ledger.batch(batch.batch_id).members == ()
    assert 0.55 * MAX_ITEM_BYTES < meter.largest_bytes <= 0.95 * MAX_ITEM_BYTES


def test_bytes_that_cannot_be_compressed_make_a_manifest_of_at_most_its_limit() -> None:
    chance, objects, size = Random(7), [], 0
    while size <= MAX_MANIFEST_BYTES:
        text = chance.randbytes(512).decode("latin-1")
        objects.append(StagedObject(text, text[:16], 1))
        size += packed_bytes(objects[-1])
    packed = pack(objects[:-1])
    assert 0.7 * MAX_MANIFEST_BYTES < len(packed) <= 1.01 * MAX_MANIFEST_BYTES
    assert list(unpack(packed)) == objects[:-1]


def test_our_own_keys_never_reach_the_limit_of_a_manifest() -> None:
    assert len(plan(staged(Random(1), MAX_OBJECTS, 100))) == 1
    largest = sum(map(packed_bytes, staged(Random(1), MAX_OBJECTS, 1_000_000)))
    assert largest < 0.55 * MAX_MANIFEST_BYTES
