"""What S3 says on the queue: which objects were created, and which message said so."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from functions.shared import journal


@dataclass(frozen=True, slots=True)
class StagedObject:
    """An object as S3 tells of it: its key (URL-decoded), ETag without quotes, and size in bytes."""

    key: str
    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message. `objects` is None when it cannot be read: it is left to the dead-letter queue."""

    message_id: str
    receipt_handle: str
    receive_count: int
    objects: tuple[StagedObject, ...] | None


def read(event: dict[str, Any]) -> list[Message]:
    """The messages of a Lambda event from SQS. S3's own test event is a message without objects."""
    return [_message(record) for record in event["Records"]]


def _message(record: dict[str, Any]) -> Message:
    try:
        objects = tuple(_objects(json.loads(record["body"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        journal.write("unreadable_message", reason="no S3 event", count=1)
        objects = None
    return Message(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
        objects=objects,
    )


def _objects(body: dict[str, Any]) -> Iterator[StagedObject]:
    if body.get("Event") == "s3:TestEvent":
        return
    for record in body["Records"]:
        told = record["s3"]["object"]
        yield StagedObject(
            key=unquote_plus(told["key"]), etag=told["eTag"].strip('"'), size_bytes=int(told["size"])
        )
