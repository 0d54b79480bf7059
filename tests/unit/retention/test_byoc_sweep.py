"""Customers' own buckets are swept side by side; one that is broken delays no other."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from obstore.store import MemoryStore

from functions.retention import byoc_sweeper
from functions.retention.byoc_sweeper import MARKS_KEPT, ByocSweep, run
from functions.retention.stale import STALE_AFTER
from functions.shared.buckets.contract import Bucket, BucketRefusedError, BucketUnavailableError, ListedObject
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.fan_out import THREADS
from functions.shared.notifications import NotificationError, QueueNotifier
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, idempotency_prefix
from functions.sync.notifications import read_messages
from tests.unit.shared.endless import bucket_that_answers, page
from tests.unit.shared.turns import Turns

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


def later() -> datetime:
    """When what is created now is stale."""
    return datetime.now(UTC) + STALE_AFTER + timedelta(minutes=1)


class Sqs:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": f"url of {QueueName}"}

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        assert QueueUrl == "url of byoc"
        self.bodies.append(MessageBody)

    @property
    def reported(self) -> dict[str, list[str]]:
        records = [
            {
                "messageId": "m",
                "receiptHandle": "r",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for body in self.bodies
        ]
        found: dict[str, list[str]] = {}
        for message in read_messages({"Records": records}):
            found.setdefault(str(message.tenant), []).extend(each.key for each in message.objects or ())
        return found


class Keeper:
    """Buckets by tenant; a callable stands for one that has to be asked first."""

    def __init__(self, **buckets: Bucket | Callable[[], Bucket]) -> None:
        self.buckets = buckets
        self.forgotten: list[str] = []

    def bucket(self, tenant: TenantId) -> Bucket:
        found = self.buckets[tenant]
        return found() if callable(found) else found

    def evict(self, tenant: TenantId) -> None:
        self.forgotten.append(tenant)


def bucket_with(tenant: TenantId, count: int) -> tuple[Any, list[str]]:
    bucket: Any = PlatformBucket(MemoryStore())
    keys = [
        str(StagedKey(tenant, date(2026, 11, 23), time_ordered_id(), 3, 300, date(2026, 12, 23)))
        for _ in range(count)
    ]
    for key in [*keys, f"{idempotency_prefix(tenant)}mark"]:
        bucket.create(key, b"x")
    return bucket, keys


def sweep(sqs: Sqs, **buckets: Any) -> tuple[ByocSweep, Keeper]:
    keeper = Keeper(**buckets)
    return ByocSweep(keeper, QueueNotifier("byoc", "sweeper-byoc", sqs), Turns()), keeper  # type: ignore[arg-type]


def test_each_tenants_stale_objects_are_published_under_its_name() -> None:
    (acme, acmes), (globex, globexes), sqs = bucket_with(ACME, 600), bucket_with(GLOBEX, 3), Sqs()
    # Objects in a bucket under another tenant's name belong to no tenant.
    globex.create(acmes[0], b"forged")
    sweeper, _ = sweep(sqs, acme=acme, globex=globex)
    fresh = sweeper.sweep_bucket(ACME, datetime.now(UTC))
    assert fresh
    assert fresh.objects == 0
    swept = [sweeper.sweep_bucket(tenant, later()) for tenant in (ACME, GLOBEX)]
    assert [each and each.objects for each in swept] == [600, 3]
    assert {tenant: sorted(keys) for tenant, keys in sqs.reported.items()} == {
        "acme": sorted(acmes),
        "globex": sorted(globexes),
    }


def test_keys_outside_the_requested_prefix_are_not_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sync rejects a message with another tenant's objects: none of those beside them would be loaded."""
    (acme, acmes), (_, globexes), sqs = bucket_with(ACME, 2), bucket_with(GLOBEX, 1), Sqs()
    now = later().replace(minute=30)
    everything = [ListedObject(key, "e", 1, now - timedelta(hours=1)) for key in (*globexes, *acmes)]
    monkeypatch.setattr(acme, "under", lambda _prefix: iter(everything))
    swept = sweep(sqs, acme=acme)[0].sweep_bucket(ACME, now)
    assert swept
    assert swept.objects == 2
    assert sorted(sqs.reported["acme"]) == sorted(acmes)


def test_a_run_publishes_a_bounded_number_and_begins_with_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byoc_sweeper, "OBJECTS_A_RUN", 10)
    (acme, keys), sqs = bucket_with(ACME, 30), Sqs()
    sweep(sqs, acme=acme)[0].sweep_bucket(ACME, later())
    assert len(sqs.reported["acme"]) == 10
    assert set(sqs.reported["acme"]) <= set(keys)


def test_old_marks_are_deleted_once_an_hour_and_young_ones_stay() -> None:
    (acme, _), sqs = bucket_with(ACME, 0), Sqs()
    sweeper, _ = sweep(sqs, acme=acme)
    in_two_days = datetime.now(UTC) + MARKS_KEPT + timedelta(hours=2)
    for now, left in (
        ((datetime.now(UTC) + timedelta(days=1)).replace(minute=2), 1),
        (in_two_days.replace(minute=30), 1),
        (in_two_days.replace(minute=2), 0),
    ):
        sweeper.sweep_bucket(ACME, now)
        assert len(list(acme.under(idempotency_prefix(ACME)))) == left


def test_however_many_young_marks_come_first_the_old_ones_behind_them_are_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Marks are named by digests, and lie in no order of age."""
    (acme, _), sqs, now = bucket_with(ACME, 0), Sqs(), later().replace(minute=2)
    marks = [
        ListedObject(f"{idempotency_prefix(ACME)}{number:06}", "e", 1, now - timedelta(days=age))
        for age, numbers in ((1, range(25_000)), (3, range(25_000, 25_010)))
        for number in numbers
    ]
    deleted: list[str] = []
    monkeypatch.setattr(acme, "under", lambda prefix: iter(marks if "idempotency" in prefix else []))
    monkeypatch.setattr(acme, "delete", deleted.extend)
    swept = sweep(sqs, acme=acme)[0].sweep_bucket(ACME, now)
    assert swept
    assert (swept.marks, deleted) == (10, [each.key for each in marks[-10:]])


def test_where_time_runs_out_no_more_marks_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byoc_sweeper, "MARKS_A_STEP", 10)
    (acme, _), times = bucket_with(ACME, 0), iter([True, True, False])
    for number in range(29):
        acme.create(f"{idempotency_prefix(ACME)}{number}", b"x")
    now = (datetime.now(UTC) + MARKS_KEPT + timedelta(hours=2)).replace(minute=2)
    swept = sweep(Sqs(), acme=acme)[0].sweep_bucket(ACME, now, lambda: next(times))
    assert swept
    assert (swept.marks, len(list(acme.under(idempotency_prefix(ACME))))) == (20, 10)


@pytest.mark.parametrize("fault", [BucketUnavailableError("down"), BucketRefusedError("NoSuchBucket")])
def test_a_bucket_that_fails_is_counted_and_stops_no_other(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Bucket:
        raise fault

    monkeypatch.setattr(byoc_sweeper, "datetime", Later)
    (globex, keys), sqs = bucket_with(GLOBEX, 2), Sqs()
    sweeper, keeper = sweep(sqs, acme=fail, globex=globex)
    swept = run(sweeper, [ACME, GLOBEX], lambda: 300.0)
    assert (swept["unswept"], swept["objects"]) == (1, 2)
    assert sorted(sqs.reported["globex"]) == sorted(keys)
    assert keeper.forgotten == (["acme"] if isinstance(fault, BucketRefusedError) else [])


@pytest.mark.parametrize("fault", [NotificationError("SQS: AccessDenied"), StoreUnavailableError("no")])
def test_a_failure_on_our_side_is_not_counted_as_a_bucket_and_raises_the_alarm(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> Bucket:
        raise fault

    monkeypatch.setattr(byoc_sweeper, "datetime", Later)
    (globex, keys), sqs = bucket_with(GLOBEX, 2), Sqs()
    sweeper, _ = sweep(sqs, acme=fail, globex=globex)
    with pytest.raises(type(fault)):
        run(sweeper, [ACME, GLOBEX], lambda: 300.0)
    assert sorted(sqs.reported["globex"]) == sorted(keys)
    assert '"BucketsUnswept":1' in capsys.readouterr().out


def test_a_bucket_that_hangs_neither_stops_nor_outlasts_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = Event()

    def hang() -> Bucket:
        hangs.wait(20)
        raise BucketUnavailableError("too late")

    monkeypatch.setattr(byoc_sweeper, "datetime", Later)
    monkeypatch.setattr(byoc_sweeper, "A_BUCKET_SECONDS", 0)
    (globex, keys), sqs = bucket_with(GLOBEX, 2), Sqs()
    sweeper, keeper = sweep(sqs, acme=hang, globex=globex)
    began = time.monotonic()
    swept = run(sweeper, [ACME, GLOBEX], lambda: 12 - (time.monotonic() - began))
    hangs.set()
    assert time.monotonic() - began < 10
    assert (swept["unswept"], swept["objects"]) == (1, 2)
    assert keeper.forgotten == ["acme"], "its client may still be used by the thread that hangs"
    assert sorted(sqs.reported["globex"]) == sorted(keys)


def test_buckets_that_never_end_are_left_after_their_share_of_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many as there are threads: without a share of its own each would keep one for the whole run."""
    monkeypatch.setattr(byoc_sweeper, "datetime", Later)
    monkeypatch.setattr(byoc_sweeper, "A_BUCKET_SECONDS", 0.5)
    hostile = [TenantId(f"hostile-{number:02}") for number in range(THREADS)]
    (globex, keys), sqs = bucket_with(GLOBEX, 2), Sqs()
    with bucket_that_answers(slow_pages) as (endless, _):
        sweeper, _ = sweep(sqs, globex=globex, **dict.fromkeys(hostile, endless))
        began = time.monotonic()
        swept = run(sweeper, sweeper.in_order([*hostile, GLOBEX]), lambda: 100 - (time.monotonic() - began))
        assert time.monotonic() - began < 20
    assert (swept["unswept"], swept["objects"]) == (THREADS, 2)
    assert sorted(sqs.reported["globex"]) == sorted(keys)


def test_a_run_that_dies_of_one_bucket_begins_the_next_time_with_the_others() -> None:
    def die() -> Bucket:
        raise SystemExit

    sweeper, _ = sweep(Sqs(), acme=die, globex=bucket_with(GLOBEX, 1)[0])
    assert sweeper.in_order([ACME, GLOBEX]) == [ACME, GLOBEX]
    with pytest.raises(SystemExit):
        sweeper.sweep_bucket(ACME, later())
    assert sweeper.in_order([ACME, GLOBEX]) == [GLOBEX, ACME]
    sweeper.sweep_bucket(GLOBEX, later())
    assert sweeper.in_order([ACME, GLOBEX]) == [ACME, GLOBEX]


def slow_pages(_head: bytes) -> Iterator[bytes]:
    time.sleep(0.1)
    yield page()


class Later(datetime):
    @classmethod
    def now(cls, _zone: Any = None) -> Any:
        return later()
