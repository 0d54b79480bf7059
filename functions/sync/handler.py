"""Sync: staged objects into ClickHouse, exactly once.

Trigger: SQS, with S3's notifications of new staged objects, up to 10,000 at a time. Promise: an object's rows
are in the warehouse exactly once, and only then is its message gone. Failure: messages whose objects are not
settled are reported back and return after a pause that grows to a minute; after 1,000 deliveries, the better
part of a day, they are set aside in the dead-letter queue, which raises an alarm.
"""

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.shared import journal
from functions.shared.object_store import open_store
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.staging import is_staged
from functions.shared.warehouse import Address, Warehouse
from functions.sync.drive import Driver, Time
from functions.sync.ledger import Ledger
from functions.sync.load import Loader, Staged
from functions.sync.notifications import Message, StagedObject, read
from functions.sync.settle import Settler

LONGEST_PAUSE_SECONDS = 60
"""A backlog is back at work within a minute of the end of an outage."""

MARGIN_SECONDS = 5
"""For what a batch needs beside its insert: the ledger, fetching, deleting."""


@dataclass(frozen=True, slots=True)
class Settings:
    staging_bucket: str
    ledger_table: str
    staged_queue: str
    warehouse_secret: str
    insert_timeout_seconds: int


@dataclass(frozen=True, slots=True)
class _Sync:
    settler: Settler
    queue: Any
    queue_url: str
    a_batch_seconds: float


@cache
def _sync() -> _Sync:
    settings = load(Settings)
    warehouse = Warehouse(
        Address.from_json(read_secret(settings.warehouse_secret)), settings.insert_timeout_seconds
    )
    queue = boto3.client("sqs")
    ledger = Ledger(settings.ledger_table)
    driver = Driver(ledger, Staged(open_store(settings.staging_bucket)), Loader(warehouse))
    return _Sync(
        settler=Settler(ledger, driver),
        queue=queue,
        queue_url=queue.get_queue_url(QueueName=settings.staged_queue)["QueueUrl"],
        a_batch_seconds=settings.insert_timeout_seconds + MARGIN_SECONDS,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Settle what the messages tell of; name the messages that must come back."""
    sync = _sync()
    messages = read(event)
    time_given = Time(lambda: context.get_remaining_time_in_millis() / 1000, sync.a_batch_seconds)
    settled = sync.settler.settle(_loadable(messages), time_given)
    unsettled = [each for each in messages if not _is_settled(each, settled)]
    _come_back_later(sync, unsettled)
    return {"batchItemFailures": [{"itemIdentifier": each.message_id} for each in unsettled]}


def _loadable(messages: list[Message]) -> list[StagedObject]:
    """The staged objects of all messages; what else lies under our prefix is left to the dead letters."""
    return [each for message in messages for each in message.objects or () if is_staged(each.key)]


def _is_settled(message: Message, settled: set[str]) -> bool:
    return message.objects is not None and all(each.key in settled for each in message.objects)


def _come_back_later(sync: _Sync, messages: list[Message]) -> None:
    """Shorten or stretch the messages' return to our own pace; if that fails they return at the queue's."""
    for start in range(0, len(messages), 10):
        entries = [
            {
                "Id": str(position),
                "ReceiptHandle": each.receipt_handle,
                "VisibilityTimeout": pause_seconds(each.receive_count),
            }
            for position, each in enumerate(messages[start : start + 10])
        ]
        try:
            sync.queue.change_message_visibility_batch(QueueUrl=sync.queue_url, Entries=entries)
        except (BotoCoreError, ClientError) as fault:
            journal.write("pause_not_set", error_type=type(fault).__name__, messages=len(entries))


def pause_seconds(receive_count: int) -> int:
    """1, 2, 4 … seconds up to LONGEST_PAUSE_SECONDS, less up to half so that not all return at once."""
    longest = min(2 ** min(receive_count - 1, 30), LONGEST_PAUSE_SECONDS)
    return max(1, round(random.uniform(longest / 2, longest)))  # noqa: S311
