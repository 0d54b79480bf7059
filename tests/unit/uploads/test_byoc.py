"""Files in customers' own buckets: read there, staged there, and only for the tenant whose bucket it is."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from obstore.store import MemoryStore

from functions.shared.accounts.account_status import AccountStatus
from functions.shared.buckets.contract import BucketRefusedError, BucketUnavailableError
from functions.shared.buckets.drop_bucket import DropBucket, DroppedFile
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.byoc.encryption import CredentialsUnreadableError
from functions.shared.byoc.health import HealthStore, Slot
from functions.shared.notifications import QueueNotifier
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.account_status import AccountStatuses
from functions.uploads.backlog import WaitingFile
from functions.uploads.bucket_names import MAX_KEPT, READ_AGAIN_SECONDS, BucketNameCache
from functions.uploads.counters import StagedBytes
from functions.uploads.dropin_byoc import FILES_A_TURN, REFUSED_RECEIVES, ByocDropIn, answer_to
from functions.uploads.files import upload_response
from functions.uploads.notifications import wake_up_body
from functions.uploads.queue import DropQueue
from functions.uploads.turns import FairTurns
from tests.unit.uploads.world import ACCOUNTS, Sqs, World, decoded_rows, s3_says, sqs_batch, sqs_event, table

INITECH, HOOLI = TenantId("initech"), TenantId("hooli")


@dataclass
class Destination:
    bucket: str
    retention_days: int = 3650


@dataclass
class CustomerBuckets:
    """Buckets by tenant; a fault that is raised in place of one."""

    s3: Any
    buckets: dict[TenantId, PlatformBucket] = field(default_factory=dict)
    fault: Exception | None = None
    forgotten: list[str] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def summary(self, tenant: TenantId) -> Destination | None:
        self.looks.append(tenant)
        return Destination(f"{tenant}-logs") if tenant in self.buckets else None

    def destination(self, tenant: TenantId) -> Destination:
        self.opened.append(tenant)
        if tenant not in self.buckets:
            raise NoDestinationError("none")
        return Destination(f"{tenant}-logs")

    def bucket(self, tenant: TenantId) -> PlatformBucket:
        return self.buckets[tenant]

    def drops(self, tenant: TenantId) -> DropBucket:
        if self.fault:
            raise self.fault
        return DropBucket(self.s3, f"{tenant}-logs")

    def evict(self, tenant: TenantId) -> None:
        self.forgotten.append(tenant)


@dataclass
class Own:
    world: World
    customer_buckets: CustomerBuckets
    dropped: Sqs = field(default_factory=Sqs)
    staged: Sqs = field(default_factory=Sqs)

    @property
    def drop_in(self) -> ByocDropIn:
        queue = DropQueue("dropped-byoc", "tests", self.dropped)
        return ByocDropIn(
            self.customer_buckets,  # type: ignore[arg-type]
            BucketNameCache(self.customer_buckets.summary),  # type: ignore[arg-type]
            AccountStatuses(ACCOUNTS, self.world.dynamodb),
            StagedBytes(*self.world.table),
            HealthStore("health", lambda: self.world.clock() + self.world.later, self.world.dynamodb),
            QueueNotifier("staged-byoc", "tests", self.staged),
            FairTurns(queue, self.world.backlogs, FILES_A_TURN),
            self.world.work(queue, "dropin-byoc"),
        )

    def put(self, tenant: TenantId, name: str, body: bytes, bucket: str = "") -> str:
        key, bucket = dropin_prefix(tenant) + name, bucket or f"{tenant}-logs"
        etag = self.world.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"]
        return s3_says(key, len(body), etag, bucket)

    def deliver(self, body: str, receives: int = 1) -> bool:
        """Whether the message returns, or its file waits in the backlog."""
        before = len(self.backlog(INITECH)) + len(self.backlog(HOOLI))
        answer = answer_to(sqs_event(body, receives), lambda: 300.0, self.drop_in)
        is_moved = len(self.backlog(INITECH)) + len(self.backlog(HOOLI)) > before
        return bool(answer["batchItemFailures"]) or is_moved

    def backlog(self, tenant: TenantId) -> list[WaitingFile]:
        return self.world.backlog(tenant)

    def rows(self, tenant: TenantId) -> list[str]:
        bucket = self.customer_buckets.buckets[tenant]
        stored = [(each.key, bucket.get(each.key)) for each in bucket.under("staged/")]
        return [row["message"] for key, object_ in stored for row in decoded_rows(key, bytes(object_.body))]  # type: ignore[union-attr]

    def states(self, tenant: TenantId) -> list[tuple[str, str | None]]:
        page = self.world.register.page(tenant, 10)
        shown = [upload_response(*each, dropin_prefix(tenant), 0) for each in page.uploads]
        return [(each["state"], (each["error"] or {}).get("code")) for each in shown]


@pytest.fixture
def own(here: World) -> Own:
    tables = here.dynamodb.list_tables()["TableNames"]
    if "health" not in tables:
        table(here.dynamodb, "health", "destination")
        for tenant in (INITECH, HOOLI):
            here.s3.create_bucket(Bucket=f"{tenant}-logs")
    for item in here.dynamodb.scan(TableName="health")["Items"]:
        here.dynamodb.delete_item(TableName="health", Key={"destination": item["destination"]})
    for tenant in (INITECH, HOOLI):
        here.account(tenant, AccountStatus("byoc", 3650, 10**7))
    buckets = {tenant: PlatformBucket(MemoryStore()) for tenant in (INITECH, HOOLI)}
    return Own(here, CustomerBuckets(here.s3, buckets))


def test_a_file_is_staged_in_the_customers_own_bucket_and_published_to_sync(own: Own) -> None:
    body = own.put(INITECH, "x y.log", b"one\ntwo\n")
    assert [own.deliver(body) for _ in range(3)] == [False] * 3

    assert own.rows(INITECH) == ["one", "two"]
    assert own.rows(HOOLI) == []
    assert list(own.world.staging.under("")) == [], "nothing of it is in our buckets"
    shown = [json.loads(each) for each in own.staged.bodies]
    assert [each["tenant"] for each in shown] == ["initech"]
    assert own.world.s3.get_object(Bucket="initech-logs", Key=dropin_prefix(INITECH) + "x y.log"), "kept"


def test_a_file_counts_in_its_tenants_own_bucket_only(own: Own) -> None:
    """A sender to the queue can put anything into their own bucket, under any prefix."""
    assert own.deliver(own.put(INITECH, "x", b"forged\n", "hooli-logs")) is False
    assert own.rows(INITECH) == own.rows(HOOLI) == []
    assert own.states(INITECH) == own.states(HOOLI) == []


def test_a_message_about_anothers_bucket_says_nothing_about_the_tenants_own(own: Own) -> None:
    """No other tenant makes us call a failing bucket more often."""
    body = own.put(INITECH, "x", b"one\n")
    own.customer_buckets.fault = BucketUnavailableError("SlowDown")
    assert own.deliver(body) is True
    own.customer_buckets.fault = None
    own.world.later += 3
    assert own.deliver(own.put(INITECH, "y", b"forged\n", "hooli-logs")) is False
    assert own.drop_in.health.of("drops:initech").failures == 1
    assert own.deliver(body) is False
    assert own.drop_in.health.of("drops:initech").failures == 0


def test_a_tenant_without_a_destination_has_no_files(own: Own) -> None:
    body = own.put(HOOLI, "x", b"one\n")
    del own.customer_buckets.buckets[HOOLI]
    assert own.deliver(body) is False
    assert own.states(HOOLI) == []


def test_a_bucket_that_fails_is_left_alone_for_a_while_and_delays_no_other(own: Own) -> None:
    body, other = own.put(INITECH, "x", b"one\n"), own.put(HOOLI, "y", b"two\n")
    own.customer_buckets.fault = BucketUnavailableError("SlowDown")
    assert own.deliver(body) is True
    own.customer_buckets.fault = None
    assert own.deliver(body) is True, "its circuit is open"
    assert own.deliver(other) is False
    assert own.rows(HOOLI) == ["two"]
    own.world.later += 3
    assert own.deliver(body) is False
    assert own.rows(INITECH) == ["one"]


def test_a_bucket_that_keeps_rejecting_us_settles_the_file(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> bytes:
        raise BucketRefusedError("AccessDenied")

    monkeypatch.setattr("functions.shared.buckets.drop_bucket.FileRanges.read", refuse)
    body = own.put(INITECH, "x", b"one\n")
    for receives in range(1, REFUSED_RECEIVES):
        assert own.deliver(body, receives) is True
        own.world.later += 2000
    assert own.states(INITECH) == [("reading", None)]
    assert own.deliver(body, REFUSED_RECEIVES) is False
    assert own.states(INITECH) == [("failed", "no_access")]
    assert "initech" in own.customer_buckets.forgotten


def test_a_message_that_waited_for_its_turn_is_not_abandoned_at_the_first_rejection(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came back often because others were read first, not because the bucket refused us."""

    def refuse(*_arguments: object) -> bytes:
        raise BucketRefusedError("AccessDenied")

    body = own.put(INITECH, "x", b"one\n")
    with monkeypatch.context() as patch:
        patch.setattr("functions.shared.buckets.drop_bucket.FileRanges.read", refuse)
        assert own.deliver(body, 5 * REFUSED_RECEIVES) is True
        assert own.states(INITECH) == [("reading", None)]
    own.world.later += 5
    assert own.deliver(body, 5 * REFUSED_RECEIVES + 1) is False
    assert own.rows(INITECH) == ["one"]


def test_a_bucket_that_lets_nothing_be_deleted_keeps_its_originals_and_is_read_on(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise BucketRefusedError("AccessDenied")

    monkeypatch.setattr(DropBucket, "delete", refuse)
    own.world.register.choose_originals(INITECH, "delete")
    bodies = [own.put(INITECH, name, name.encode()) for name in ("a", "b")]
    assert [own.deliver(body) for body in (*bodies, bodies[0])] == [False] * 3
    assert own.rows(INITECH) == ["a", "b"]
    assert own.states(INITECH) == [("done", None)] * 2


def test_at_most_two_work_for_a_tenant_at_a_time(own: Own) -> None:
    health = own.drop_in.health
    for name in ("a", "b"):
        health.take("drops:initech", name, 100)
    assert own.deliver(own.put(INITECH, "x", b"one\n")) is True
    assert own.deliver(own.put(HOOLI, "x", b"one\n")) is False


def test_a_refused_customers_file_is_failed_and_kept(own: Own) -> None:
    own.world.account(
        INITECH, AccountStatus("byoc", 3650, 10**7, accepts_until=1, end_reason="payment_overdue")
    )
    assert own.deliver(own.put(INITECH, "x", b"one\n")) is False
    assert own.states(INITECH) == [("failed", "payment_overdue")]
    assert own.rows(INITECH) == []


def test_forged_notifications_take_no_slot_and_open_no_credentials(own: Own) -> None:
    """A stranger's bucket with the tenant's prefix in the key, a thousand times, while the tenant works."""
    forged = own.put(INITECH, "x", b"forged\n", "hooli-logs")
    drop_in = own.drop_in
    for _ in range(100):
        answer = answer_to(sqs_batch([forged] * 10), lambda: 300.0, drop_in)
        assert answer == {"batchItemFailures": []}
    assert own.customer_buckets.opened == []
    assert own.customer_buckets.looks == ["initech"], "the answer is remembered"
    assert own.world.dynamodb.scan(TableName="health")["Items"] == []
    assert own.backlog(INITECH) == [], "and none waits"

    health = drop_in.health
    slots = [health.take("drops:initech", name, 100) for name in ("a", "b")]
    assert answer_to(sqs_batch([forged] * 10), lambda: 300.0, drop_in) == {"batchItemFailures": []}
    assert own.backlog(INITECH) == []
    for slot in slots:
        assert isinstance(slot, Slot)
        health.release(slot)
    assert own.deliver(own.put(INITECH, "y", b"one\n")) is False
    assert own.rows(INITECH) == ["one"]


def test_a_bucket_that_was_chosen_just_now_is_known_within_seconds() -> None:
    now, chosen = [0.0], ["old"]
    names = BucketNameCache(lambda _tenant: Destination(chosen[0]), lambda: now[0])  # type: ignore[arg-type, return-value]
    assert names.is_bucket_of(INITECH, "old")
    chosen[0] = "new"
    assert not names.is_bucket_of(INITECH, "new")
    now[0] += READ_AGAIN_SECONDS
    assert names.is_bucket_of(INITECH, "new")
    assert not names.is_bucket_of(INITECH, "old")


def test_a_destination_that_was_altered_names_no_bucket() -> None:
    def altered(_tenant: TenantId) -> None:
        raise CredentialsUnreadableError("altered")

    assert not BucketNameCache(altered).is_bucket_of(INITECH, "x")


def test_names_of_ever_new_tenants_are_forgotten_again(own: Own) -> None:
    names = BucketNameCache(own.customer_buckets.summary)  # type: ignore[arg-type]
    for number in range(3 * MAX_KEPT):
        assert not names.is_bucket_of(TenantId(f"t{number}"), "x")
    assert len(names._kept) == MAX_KEPT


def test_a_flood_of_one_customers_files_leaves_the_others_their_turn(own: Own) -> None:
    """Their messages are deleted, and the files wait in the customer's own backlog."""
    for name in ("a", "b"):
        own.drop_in.health.take("drops:initech", name, 100)
    flood = [own.put(INITECH, str(number), b"one\n") for number in range(9)]
    event = sqs_batch([*flood, own.put(HOOLI, "x", b"two\n")])
    assert answer_to(event, lambda: 300.0, own.drop_in) == {"batchItemFailures": []}
    assert own.rows(HOOLI) == ["two"]
    assert len(own.backlog(INITECH)) == 9
    assert own.backlog(HOOLI) == []
    assert own.states(INITECH) == []
    assert own.dropped.bodies == []
    assert len(own.dropped.delayed) == 1, "one wake-up"

    own.world.later += 400
    (wake_up, _), *_ = own.dropped.delayed
    waiting = [wake_up]
    while waiting:
        assert answer_to(sqs_event(waiting.pop(0)), lambda: 300.0, own.drop_in) == {"batchItemFailures": []}
        waiting += own.dropped.bodies
        own.dropped.bodies.clear()
    assert own.rows(INITECH) == ["one"] * 9
    assert own.rows(HOOLI) == ["two"]
    assert own.backlog(INITECH) == []


def test_a_file_that_waited_in_a_backlog_is_abandoned_no_sooner_and_no_later(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How often the bucket refused us goes with the file."""

    def refuse(*_arguments: object) -> bytes:
        raise BucketRefusedError("AccessDenied")

    monkeypatch.setattr("functions.shared.buckets.drop_bucket.FileRanges.read", refuse)
    body = own.put(INITECH, "x", b"one\n")
    assert own.deliver(body, REFUSED_RECEIVES - 1) is True
    assert own.deliver(body, REFUSED_RECEIVES - 1) is True, "its circuit is open"
    assert [each.receive_count for each in own.backlog(INITECH)] == [REFUSED_RECEIVES - 1]
    ((wake_up, seconds),) = own.dropped.delayed
    assert seconds < 60, "not when a lease would have expired: no invocation has one"

    own.world.later += 3000
    assert answer_to(sqs_event(wake_up), lambda: 300.0, own.drop_in) == {"batchItemFailures": []}
    assert own.states(INITECH) == [("reading", None)]
    assert own.backlog(INITECH) == []
    again = own.dropped.delayed[-1][0]
    own.world.later += 3000
    assert own.deliver(again, 1) is False
    assert own.states(INITECH) == [("failed", "no_access")]


def test_a_file_of_a_backlog_counts_in_its_tenants_own_bucket_only(own: Own) -> None:
    """Also when the customer chose another bucket since the file was appended."""
    for bucket in ("hooli-logs", "initech-logs"):
        key = dropin_prefix(INITECH) + bucket
        etag = own.world.s3.put_object(Bucket=bucket, Key=key, Body=b"one\n")["ETag"].strip('"')
        own.world.backlogs.append(INITECH, [WaitingFile(DroppedFile(bucket, key, etag, 4), 1)])
    waiting = [wake_up_body(INITECH, "tests")]
    while waiting:
        answer_to(sqs_event(waiting.pop(0)), lambda: 300.0, own.drop_in)
        waiting += own.dropped.bodies
        own.dropped.bodies.clear()
    assert own.rows(INITECH) == ["one"]
    assert own.rows(HOOLI) == []
    assert own.backlog(INITECH) == []
    assert own.states(HOOLI) == []


def test_a_customers_file_stops_when_its_account_takes_no_logs_any_more(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.uploads.file_reader.PART_ROWS", 1)
    refused = AccountStatus("byoc", 3650, 10**7, accepts_until=1, end_reason="payment_overdue")
    create = PlatformBucket.create

    def create_and_refuse(self: PlatformBucket, key: str, *arguments: Any) -> str | None:
        made = create(self, key, *arguments)
        if key.startswith("staged/") and "initech" in key:
            own.world.account(INITECH, refused)
        return made

    monkeypatch.setattr(PlatformBucket, "create", create_and_refuse)
    monkeypatch.setattr("functions.uploads.formats.windows.WINDOW_RECORDS", 1)
    for tenant in (INITECH, HOOLI):
        assert own.deliver(own.put(tenant, "x", b"one\ntwo\nthree\n")) is False
    assert own.states(INITECH) == [("partly", "payment_overdue")]
    assert own.states(HOOLI) == [("done", None)]
    assert own.rows(INITECH) == ["one"]
    assert sorted(own.rows(HOOLI)) == ["one", "three", "two"]


def test_a_failure_that_cannot_be_written_down_fails_its_own_message_only(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_arguments: object, **_more: object) -> None:
        raise StoreUnavailableError("down")

    monkeypatch.setattr(HealthStore, "record_failure", down)
    body = own.put(INITECH, "x", b"one\n")
    own.customer_buckets.fault = BucketUnavailableError("SlowDown")
    event = sqs_batch([body, own.put(HOOLI, "x", b"two\n")])
    failed = answer_to(event, lambda: 300.0, own.drop_in)["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failed] == ["m1", "m0"]
    assert own.dropped.released == 1, "the other customer's is another invocation's at once"
