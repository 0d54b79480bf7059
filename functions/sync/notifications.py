"""SQS messages about created objects, from S3 or from our functions: which message names which objects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from functions.shared import journal
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class StagedObject:
    """An object as S3 reports it: its key (URL-decoded), ETag without quotes, and size in bytes."""

    key: str
    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One SQS message. `objects` is None when it is unreadable: it ends in the dead-letter queue.

    `tenant`: the tenant whose own bucket has the objects; None for our bucket.
    """

    message_id: str
    receipt_handle: str
    receive_count: int
    objects: tuple[StagedObject, ...] | None
    tenant: TenantId | None = None


def read_messages(event: dict[str, Any], bucket: str = "") -> list[QueueMessage]:
    """The messages of a Lambda event from SQS. S3's own test event is a message without objects.

    Only S3 names a bucket; records that name another bucket than `bucket`, ours, are ignored.
    """
    return [_message(record, bucket) for record in event["Records"]]


def _message(record: dict[str, Any], bucket: str) -> QueueMessage:
    objects: tuple[StagedObject, ...] | None
    try:
        body = json.loads(record["body"])
        objects, tenant = (
            tuple(_objects(body, bucket)),
            TenantId(body["tenant"]) if "tenant" in body else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, PermanentError):
        journal.write("unreadable_message", reason="no S3 event", count=1)
        objects = tenant = None
    return QueueMessage(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
        objects=objects,
        tenant=tenant,
    )


def _objects(body: dict[str, Any], bucket: str) -> Iterator[StagedObject]:
    if body.get("Event") == "s3:TestEvent":
        return
    for record in body["Records"]:
        told = record["s3"]["object"]
        if record["s3"].get("bucket", {}).get("name", bucket) != bucket:
            journal.write("foreign_bucket", objects=1)
            continue
        yield StagedObject(
            key=unquote_plus(told["key"]), etag=told["eTag"].strip('"'), size_bytes=int(told["size"])
        )
