"""SQS messages about created objects, from S3 or from our functions: which message names which objects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypedDict
from urllib.parse import unquote_plus

import msgspec

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


class _NotifiedBucket(msgspec.Struct):
    name: str


class _NotifiedObject(msgspec.Struct, rename={"etag": "eTag"}):
    key: str
    etag: str
    size: int


class _NotifiedEntity(msgspec.Struct):
    object: _NotifiedObject
    bucket: _NotifiedBucket | None = None


class _NotifiedRecord(msgspec.Struct):
    s3: _NotifiedEntity


class _Created(msgspec.Struct):
    """The body of a message: S3's event, or that of our functions, which names no bucket but a tenant."""

    records: list[_NotifiedRecord] = msgspec.field(name="Records")
    tenant: str | msgspec.UnsetType = msgspec.UNSET


class _TestEvent(msgspec.Struct):
    """What S3 sends when notifications are configured."""

    event: Literal["s3:TestEvent"] = msgspec.field(name="Event")


_read_created = msgspec.json.Decoder(_Created).decode
_read_test_event = msgspec.json.Decoder(_TestEvent).decode


def read_messages(event: dict[str, Any], bucket: str = "") -> list[QueueMessage]:
    """The messages of a Lambda event from SQS. S3's own test event is a message without objects.

    Only S3 names a bucket; records that name another bucket than `bucket`, ours, are ignored.
    """
    return [_message(record, bucket) for record in event["Records"]]


class FailedItem(TypedDict):
    """The id of a message that SQS redelivers."""

    itemIdentifier: str


class PartialBatchResponse(TypedDict):
    """Lambda's answer to SQS: the failed messages; all others are deleted."""

    batchItemFailures: list[FailedItem]


def redeliver(unsettled: Sequence[QueueMessage]) -> PartialBatchResponse:
    """The response to an SQS event of which `unsettled` are to be redelivered."""
    return {"batchItemFailures": [{"itemIdentifier": each.message_id} for each in unsettled]}


def _message(record: Mapping[str, Any], bucket: str) -> QueueMessage:
    objects: tuple[StagedObject, ...] | None
    try:
        created = _created(record["body"])
        objects = tuple(_objects(created, bucket))
        tenant = TenantId(created.tenant) if isinstance(created.tenant, str) else None
    except (msgspec.MsgspecError, PermanentError):
        journal.write("unreadable_message", reason="no S3 event", count=1)
        objects = tenant = None
    return QueueMessage(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
        objects=objects,
        tenant=tenant,
    )


def _created(body: str) -> _Created:
    """Raises msgspec.MsgspecError for a body of another form."""
    try:
        return _read_created(body)
    except msgspec.ValidationError:
        _read_test_event(body)
        return _Created([])


def _objects(created: _Created, bucket: str) -> Iterator[StagedObject]:
    for record in created.records:
        fields = record.s3.object
        if record.s3.bucket and record.s3.bucket.name != bucket:
            journal.write("foreign_bucket", objects=1)
            continue
        yield StagedObject(_decoded(fields.key), fields.etag.strip('"'), fields.size)


def _decoded(key: str) -> str:
    """`key` as it is in the bucket; S3 reports it as a form's text."""
    folder, slash, name = key.rpartition("/")
    return f"{_decoded_folder(folder)}{slash}{unquote_plus(name)}"


@lru_cache(maxsize=1024)
def _decoded_folder(folder: str) -> str:
    """The objects of a tenant and a day share their folder."""
    return unquote_plus(folder)
