"""Stale objects without a notification are published, in messages that sync can read."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from functions.retention import sweeper
from functions.retention.stale import STALE_AFTER, expired, stale
from functions.retention.sweeper import StagingSweep
from functions.shared.buckets.contract import ListedObject
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.notifications import OBJECTS_A_MESSAGE, notifications
from functions.shared.tenancy import TenantId
from functions.sync.notifications import read_messages

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def key(tenant: str = "acme") -> str:
    return str(StagedKey(TenantId(tenant), date(2026, 11, 23), time_ordered_id(), 3, 300, date(2026, 12, 23)))


def listed(age: timedelta, path: str | None = None) -> ListedObject:
    return ListedObject(path or key(), "etag", 10, NOW - age)


def reported(bodies: list[str]) -> list[str]:
    records = [
        {"messageId": "m", "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
        for body in bodies
    ]
    return [each.key for message in read_messages({"Records": records}) for each in message.objects or ()]


@given(st.lists(st.integers(0, 3600), max_size=30))
def test_only_stale_objects_are_published_oldest_first(ages: list[int]) -> None:
    some = [listed(timedelta(seconds=age)) for age in ages]
    found = stale(some, NOW)
    assert {each.key for each in found} == {each.key for each in some if NOW - each.modified_at > STALE_AFTER}
    assert [each.modified_at for each in found] == sorted(each.modified_at for each in found)


def test_what_is_no_staged_object_is_left_alone() -> None:
    assert stale([listed(timedelta(days=1), "staged/readme.txt")], NOW) == []


def test_sync_reads_what_the_sweeper_writes() -> None:
    some = [listed(timedelta(hours=1), key(tenant)) for tenant in ("acme", "globex") for _ in range(200)]
    bodies = list(notifications(some))
    assert len(bodies) == -(-len(some) // OBJECTS_A_MESSAGE)
    assert max(map(len, bodies)) < 256 * 1024
    assert reported(bodies) == [each.key for each in some]


class Queue:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        assert QueueUrl == "url"
        self.bodies.append(MessageBody)


def test_a_sweep_finds_every_stale_object_in_the_bucket_and_no_other_prefix() -> None:
    bucket = PlatformBucket(MemoryStore())
    keys = [key(tenant) for tenant in ("acme", "globex") for _ in range(600)]
    for path in [*keys, "idempotency/v1/x", "quarantine/v1/y"]:
        bucket.create(path, b"x")
    queue = Queue()
    sweep = StagingSweep(bucket, queue, "url")
    assert sweep.run(datetime.now(UTC))["objects"] == 0
    swept = sweep.run(datetime.now(UTC) + STALE_AFTER + timedelta(minutes=1))
    assert swept["objects"] == 1200
    assert swept["oldest_seconds"] >= STALE_AFTER.total_seconds()
    assert sorted(reported(queue.bodies)) == sorted(keys)


def test_of_a_long_listing_only_a_part_is_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an outage of days there are millions of staged objects, and half a gigabyte of memory."""
    monkeypatch.setattr(sweeper, "OBJECTS_A_STEP", 1000)
    bucket, queue = PlatformBucket(MemoryStore()), Queue()
    listed_before_the_first_message: list[int] = []

    def under(_prefix: str, after: str | None) -> Iterator[ListedObject]:
        for number in range(0 if after is None else 5000):
            if not queue.bodies:
                listed_before_the_first_message.append(number)
            yield listed(timedelta(hours=2 if number == 4000 else 1))

    monkeypatch.setattr(bucket, "under", under)
    swept = StagingSweep(bucket, queue, "url").run(NOW)
    assert swept == {"objects": 5000, "messages": 20, "oldest_seconds": 7200, "expired": 0}
    assert len(listed_before_the_first_message) == 1000


def test_objects_whose_rows_have_expired_are_deleted_and_not_published() -> None:
    bucket, queue = PlatformBucket(MemoryStore()), Queue()
    late, young = (
        str(StagedKey(TenantId(tenant), date(2026, 11, 23), time_ordered_id(), 3, 300, date(2026, 12, day)))
        for tenant, day in (("acme", 8), ("globex", 9))
    )
    for path in (late, young):
        bucket.create(path, b"x")
    assert expired(bucket.under("staged/"), date(2026, 12, 8)) == []
    assert expired(bucket.under("staged/"), date(2026, 12, 9)) == [late]
    swept = StagingSweep(bucket, queue, "url").run(datetime(2126, 12, 9, tzinfo=UTC))
    assert (swept["expired"], swept["objects"]) == (2, 0)
    assert reported(queue.bodies) == []
    assert list(bucket.under("")) == []


def test_a_run_looks_at_so_many_of_a_tenant_and_at_every_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the first one's listing is, and wherever a run begins."""
    monkeypatch.setattr(sweeper, "OBJECTS_A_TENANT", 3)
    bucket, now = PlatformBucket(MemoryStore()), datetime.now(UTC) + STALE_AFTER + timedelta(minutes=1)
    keys = {tenant: [key(tenant) for _ in range(count)] for tenant, count in (("acme", 10), ("globex", 2))}
    neighbours = [key("acme-2"), key("acme0"), key("acm")]
    for path in [*keys["acme"], *keys["globex"], *neighbours]:
        bucket.create(path, b"x")
    for start in ("", "ac", "acme", "b", "zz"):
        monkeypatch.setattr(sweeper.secrets, "token_urlsafe", lambda _bytes, start=start: start)
        queue = Queue()
        swept = StagingSweep(bucket, queue, "url").run(now)
        assert swept["objects"] == 8
        assert sorted(reported(queue.bodies)) == sorted(
            [*sorted(keys["acme"])[:3], *keys["globex"], *neighbours]
        )
    assert StagingSweep(bucket, Queue(), "url").run(now, lambda: False)["objects"] == 0
