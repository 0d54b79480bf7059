"""SQS messages about created objects, from S3 or from our functions: which message names which objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent

from functions.shared import journal
from functions.shared.batch import PartialItemFailureResponse, SQSRecord, process_records
from functions.shared.errors import PermanentError, RetryableError
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
    return [_message(record, bucket) for record in SQSEvent(event).records]


class UnsettledMessageError(RetryableError):
    """Not all objects of the message are in ClickHouse: SQS redelivers it."""


def redeliver(event: dict[str, Any], unsettled: Sequence[QueueMessage]) -> PartialItemFailureResponse:
    """The response to an SQS event of which `unsettled` are to be redelivered."""
    waiting = {each.message_id for each in unsettled}

    def require_settled(record: SQSRecord) -> None:
        if record.message_id in waiting:
            raise UnsettledMessageError

    return process_records(event, require_settled)


def _message(record: SQSRecord, bucket: str) -> QueueMessage:
    objects: tuple[StagedObject, ...] | None
    try:
        body = record.json_body
        objects, tenant = (
            tuple(_objects(body, bucket)),
            TenantId(body["tenant"]) if "tenant" in body else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, PermanentError):
        journal.write("unreadable_message", reason="no S3 event", count=1)
        objects = tenant = None
    return QueueMessage(
        message_id=record.message_id,
        receipt_handle=record.receipt_handle,
        receive_count=int(record.attributes.approximate_receive_count),
        objects=objects,
        tenant=tenant,
    )


def _objects(body: dict[str, Any], bucket: str) -> Iterator[StagedObject]:
    if body.get("Event") == "s3:TestEvent":
        return
    for record in body["Records"]:
        fields = record["s3"]["object"]
        if record["s3"].get("bucket", {}).get("name", bucket) != bucket:
            journal.write("foreign_bucket", objects=1)
            continue
        yield StagedObject(
            key=unquote_plus(fields["key"]), etag=fields["eTag"].strip('"'), size_bytes=int(fields["size"])
        )
