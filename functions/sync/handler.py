"""Sync: load staged objects into ClickHouse, exactly once.

Trigger: SQS, with S3 notifications of new staged objects, up to 10,000 at a time.
Promise: an object's rows are in ClickHouse exactly once, and only then is its message deleted.
Failure: messages whose objects are not settled are reported as failed and redelivered with exponential
backoff, up to one minute. After 1,000 deliveries, most of a day, they go to the dead-letter queue, which
raises an alarm.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.shared.accounts.tombstones import TombstoneCache, Tombstones
from functions.shared.buckets.object_reader import ObjectReader
from functions.shared.buckets.platform import open_bucket
from functions.shared.events.staged_key import is_staged
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.signed_secrets import read_secret
from functions.shared.tables.direct_client import DirectClient
from functions.sync.backoff import VisibilityTimeouts, backoff_seconds
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.ledger import Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import (
    PartialBatchResponse,
    QueueMessage,
    StagedObject,
    read_messages,
    redeliver,
)
from functions.sync.settle import Settler

MARGIN_SECONDS = 5
"""Time that a batch needs besides its insert: ledger, fetch, delete."""


@dataclass(frozen=True, slots=True)
class Settings:
    staging_bucket: str
    ledger_table: str
    tombstones_table: str
    staged_queue: str
    warehouse_secret: str
    insert_timeout_seconds: int


@dataclass(frozen=True, slots=True)
class _Sync:
    settler: Settler
    bucket: str
    timeouts: VisibilityTimeouts
    a_batch_seconds: float


@cache
def _sync() -> _Sync:
    settings = load(Settings)
    warehouse = PlatformWarehouse(settings.warehouse_secret, settings.insert_timeout_seconds, read_secret)
    dynamodb = DirectClient()
    ledger = Ledger(settings.ledger_table, client=dynamodb)
    tombstones = TombstoneCache(Tombstones(settings.tombstones_table, dynamodb))
    staged = StagingBucket(open_bucket(settings.staging_bucket), reader=ObjectReader(settings.staging_bucket))
    driver = BatchProcessor(ledger, staged, EventsTable(warehouse))
    return _Sync(
        settler=Settler(ledger, driver, is_deleted=tombstones.is_deleted),
        bucket=settings.staging_bucket,
        timeouts=VisibilityTimeouts(settings.staged_queue),
        a_batch_seconds=settings.insert_timeout_seconds + MARGIN_SECONDS,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> PartialBatchResponse:
    """Settle the objects that the messages name; return the messages to be redelivered."""
    sync = _sync()
    messages = read_messages(event, sync.bucket)
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000, sync.a_batch_seconds)
    settled = sync.settler.settle(_loadable(messages), deadline)
    unsettled = [each for each in messages if not _is_settled(each, settled)]
    sync.timeouts.set([(each, backoff_seconds(each.receive_count)) for each in unsettled])
    return redeliver(unsettled)


def _loadable(messages: list[QueueMessage]) -> list[StagedObject]:
    """The staged objects of all messages; messages with other keys end in the dead-letter queue."""
    return [each for message in messages for each in message.objects or () if is_staged(each.key)]


def _is_settled(message: QueueMessage, settled: set[str]) -> bool:
    return message.objects is not None and all(each.key in settled for each in message.objects)
