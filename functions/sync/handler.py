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

import boto3

from functions.shared.account.tombstones import RecentTombstones, Tombstones
from functions.shared.batch import PartialItemFailureResponse
from functions.shared.buckets.own import open_bucket
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.staging import is_staged
from functions.sync.drive import Driver, Time
from functions.sync.ledger import Ledger
from functions.sync.load import Loader, Staged
from functions.sync.notifications import Message, StagedObject, read, redeliver
from functions.sync.pace import come_back_in, pause_seconds
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
    queue: Any
    queue_url: str
    a_batch_seconds: float


@cache
def _sync() -> _Sync:
    settings = load(Settings)
    warehouse = PlatformWarehouse(settings.warehouse_secret, settings.insert_timeout_seconds)
    queue = boto3.client("sqs")
    ledger = Ledger(settings.ledger_table)
    tombstones = RecentTombstones(Tombstones(settings.tombstones_table))
    driver = Driver(ledger, Staged(open_bucket(settings.staging_bucket)), Loader(warehouse))
    return _Sync(
        settler=Settler(ledger, driver, buried=tombstones.buried),
        bucket=settings.staging_bucket,
        queue=queue,
        queue_url=queue.get_queue_url(QueueName=settings.staged_queue)["QueueUrl"],
        a_batch_seconds=settings.insert_timeout_seconds + MARGIN_SECONDS,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Settle the objects that the messages name; return the messages to be redelivered."""
    sync = _sync()
    messages = read(event, sync.bucket)
    time_given = Time(lambda: context.get_remaining_time_in_millis() / 1000, sync.a_batch_seconds)
    settled = sync.settler.settle(_loadable(messages), time_given)
    unsettled = [each for each in messages if not _is_settled(each, settled)]
    come_back_in(
        sync.queue, sync.queue_url, [(each, pause_seconds(each.receive_count)) for each in unsettled]
    )
    return redeliver(event, unsettled)


def _loadable(messages: list[Message]) -> list[StagedObject]:
    """The staged objects of all messages; messages with other keys end in the dead-letter queue."""
    return [each for message in messages for each in message.objects or () if is_staged(each.key)]


def _is_settled(message: Message, settled: set[str]) -> bool:
    return message.objects is not None and all(each.key in settled for each in message.objects)
