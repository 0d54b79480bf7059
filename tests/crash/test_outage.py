"""Lost notifications, many small requests, and a ClickHouse that is away for five minutes."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.ingest.accept import accept
from functions.ingest.protocols.contract import Window
from functions.ingest.staging_writer import StagingWriter
from functions.retention.sweeper import StagingSweep
from functions.shared.events.row import ReceiptContext
from functions.shared.events.staged_key import StagedKey
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import WarehouseDownError
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.handler import backoff_seconds
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject, read_messages
from functions.sync.settle import Settler
from tests.crash.world import Cast, World, found, later, listed, stage

TIME = Deadline(lambda: 60.0, 30.0)


class CountingLoader(EventsTable):
    """Counts inserts, and refuses them while the warehouse is `down`."""

    inserts = 0
    down = False

    def insert(self, batch: Batch, frames: bytes) -> None:
        if self.down:
            raise WarehouseDownError("away")
        self.inserts += 1
        super().insert(batch, frames)


def settler(here: World, loader: EventsTable) -> Settler:
    return Settler(here.ledger, BatchProcessor(here.ledger, StagingBucket(here.bucket), loader))


class RecordingQueue:
    """A queue that only listens; `objects` is what sync would read from it."""

    def __init__(self) -> None:
        self.objects: list[StagedObject] = []

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        record = {"messageId": QueueUrl, "receiptHandle": "r", "body": MessageBody}
        (message,) = read_messages({"Records": [{**record, "attributes": {"ApproximateReceiveCount": "1"}}]})
        assert message.objects is not None
        self.objects += message.objects


@pytest.mark.parametrize("notified", [0.9, 0.0])
def test_objects_without_a_notification_are_loaded_by_the_sweeper(here: World, notified: float) -> None:
    chance = random.Random(notified)
    cast = stage(here, chance, f"dropped{int(notified * 10)}", 300)
    sync = settler(here, EventsTable(here.warehouse))
    sync.settle([each for each in cast.objects if chance.random() < notified], TIME)
    missed = sum(cast.expected.values()) - sum(found(here.warehouse, cast).values())
    assert missed > 0

    queue = RecordingQueue()
    sweep = StagingSweep(here.bucket, queue, "url")
    assert sweep.run(datetime.now(UTC) + timedelta(minutes=10))["objects"] == 0
    sweep.run(datetime.now(UTC) + timedelta(minutes=16))
    for _ in range(5):
        sync.settle(queue.objects, TIME)
    assert found(here.warehouse, cast) == cast.expected
    assert not any(here.has(each.key) for each in cast.objects)


def test_ten_thousand_small_requests_of_fifty_tenants_are_few_inserts(here: World, capsys: Any) -> None:
    """As SQS hands them over: windows of some seconds, of a thousand requests each."""
    staging = StagingWriter(here.bucket)
    keys = [_request(staging, f"small-{number % 50}", number) for number in range(10_000)]
    objects = {each.key: each for each in listed(here, "small-")}
    loader = CountingLoader(here.warehouse)
    sync = settler(here, loader)
    for start in range(0, len(keys), 1000):
        window = [objects[key] for key in keys[start : start + 1000]]
        assert sync.settle(window, TIME) == {each.key for each in window}
    parts = here.warehouse.select(
        "SELECT count() AS parts FROM system.parts "
        "WHERE active AND database = currentDatabase() AND table = 'events'"
    ).rows[0]["parts"]
    stored = here.warehouse.select(
        "SELECT count() AS rows, uniqExact(message) AS lines FROM events "
        "WHERE startsWith(tenant_id, 'small-')"
    ).rows[0]
    assert (int(stored["rows"]), int(stored["lines"])) == (10_000, 10_000)
    assert loader.inserts <= len(keys) / 100
    with capsys.disabled():
        print(f"\n10,000 requests: {len(objects)} objects, {loader.inserts} inserts, {parts} active parts")


def _request(staging: StagingWriter, tenant: str, number: int) -> str:
    receipt = ReceiptContext(TenantId(tenant), "p", datetime(2029, 12, 2, 10, tzinfo=UTC), 30)
    body = b'{"events":[{"message":"%s line %d"}]}' % (tenant.encode(), number)
    return staging.put(accept([Window(body, ndjson=False)], receipt).package, receipt)


@dataclass
class Waiting:
    """A message on a queue: when it shows next, how often it was seen, since when it is there."""

    object: StagedObject
    since: float
    visible_at: float
    receives: int = 0


@dataclass
class Queue:
    """SQS on the world's clock."""

    messages: dict[str, Waiting] = field(default_factory=dict)

    def put(self, cast: Cast, now: float) -> None:
        for each in cast.objects:
            self.messages[each.key] = Waiting(each, now, now)

    def deliver(self, sync: Settler, now: float) -> None:
        visible = [each for each in self.messages.values() if each.visible_at <= now]
        for each in visible:
            each.receives += 1
        settled = sync.settle([each.object for each in visible], TIME) if visible else set()
        for each in visible:
            if each.object.key in settled:
                del self.messages[each.object.key]
            else:
                each.visible_at = now + backoff_seconds(each.receives)

    def oldest_age(self, now: float) -> float:
        return max((now - each.since for each in self.messages.values()), default=0.0)


def test_five_minutes_without_clickhouse_lose_and_double_nothing(here: World, capsys: Any) -> None:
    """A request a second on a clock of our own; after the outage the backlog is worked off at once."""
    chance, queue = random.Random(5), Queue()
    loader = CountingLoader(here.warehouse)
    sync = settler(here, loader)
    began, expected = here.now, Counter[str]()
    casts, recovered_after, worst = [], None, 0.0
    for second in range(0, 460, 8):
        loader.down = 20 <= second < 320
        cast = stage(here, chance, f"outage-{second}", 8)
        casts.append(cast)
        expected += cast.expected
        queue.put(cast, here.now)
        queue.deliver(sync, here.now)
        worst = max(worst, queue.oldest_age(here.now))
        if second >= 320 and recovered_after is None and queue.oldest_age(here.now) < 60:
            recovered_after = second - 320
        later(here, seconds=began + second + 8 - here.now)
    for _ in range(10):
        later(here, seconds=61)
        queue.deliver(sync, here.now)
    assert queue.messages == {}
    assert sum((found(here.warehouse, cast) for cast in casts), Counter[str]()) == expected
    assert worst >= 290, "the outage was felt"
    assert recovered_after is not None
    assert recovered_after <= 90
    with capsys.disabled():
        print(f"\noutage of 300 s: oldest {worst:.0f} s, below 60 s again {recovered_after} s after its end")


def test_keys_have_the_rows_and_bytes_of_the_requests(here: World) -> None:
    key = _request(StagingWriter(here.bucket), "small-keys", 1)
    assert StagedKey.parse(key).rows == 1
