"""S3 notifications on the queue, from S3 or from us: which files were put, and by which message."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from functions.shared import journal
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId, dropin_prefix

_PREFIX = re.compile(r"dropin/v1/tenant=([^/]+)/")


@dataclass(frozen=True, slots=True)
class DropInMessage:
    """One SQS message. `files` is None when it is unreadable: it is left to the dead-letter queue.

    `wakes`: the tenant whose backlog has to be looked at; such a message has no files. `receive_count`: how
    often it was received, including the messages that it replaces.
    """

    message_id: str
    receipt_handle: str
    receive_count: int
    files: tuple[DroppedFile, ...] | None
    wakes: TenantId | None = None


def read(event: dict[str, Any]) -> list[DropInMessage]:
    """The messages of a Lambda event from SQS. S3's own test event is a message without files."""
    return [_message(record) for record in event["Records"]]


def notification_body(file: DroppedFile, source: str, receives: int = 0) -> str:
    """A message body in S3's own format; `receives`: the receive count of the messages that it replaces."""
    fields = {
        "bucket": {"name": file.bucket},
        "object": {"key": quote_plus(file.key), "size": file.size_bytes, "eTag": file.etag},
    }
    record = {"eventSource": f"astralog:{source}", "eventName": "ObjectCreated:Put", "s3": fields}
    counts = {"receives": receives} if receives else {}
    return json.dumps({"Records": [record], **counts}, separators=(",", ":"))


def wake_up_body(tenant: TenantId, source: str) -> str:
    """The body of a message without files: the backlog of `tenant` has to be looked at."""
    return json.dumps({"Records": [], "eventSource": f"astralog:{source}", "wakes": str(tenant)})


def tenant_of(key: str) -> TenantId | None:
    """The tenant whose prefix `key` has; None when it has no tenant's prefix."""
    match = _PREFIX.match(key)
    try:
        return TenantId(match[1]) if match else None
    except PermanentError:
        return None


def is_file(file: DroppedFile, tenant: TenantId) -> bool:
    """Whether `file` is a file, not a console's folder: an empty object whose name ends in `/`."""
    name = file.key.removeprefix(dropin_prefix(tenant))
    return bool(name) and not (file.size_bytes == 0 and name.endswith("/"))


def _message(record: dict[str, Any]) -> DropInMessage:
    files: tuple[DroppedFile, ...] | None
    receives, wakes = 0, None
    try:
        body = json.loads(record["body"])
        wakes = TenantId(body["wakes"]) if "wakes" in body else None
        # Files are checked against their own tenant only, so a message of both kinds has none.
        files = () if wakes else tuple(_files(body))
        receives = int(body.get("receives", 0))
    except (ValueError, KeyError, TypeError, AttributeError, PermanentError):
        journal.write("unreadable_message", reason="no S3 event", count=1)
        files = None
    return DropInMessage(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]) + receives,
        files=files,
        wakes=wakes,
    )


def _files(body: dict[str, Any]) -> Iterator[DroppedFile]:
    if body.get("Event") == "s3:TestEvent":
        return
    records: Sequence[dict[str, Any]] = body["Records"]
    for record in records:
        if not str(record.get("eventName", "ObjectCreated")).removeprefix("s3:").startswith("ObjectCreated"):
            continue
        fields = record["s3"]["object"]
        yield DroppedFile(
            bucket=record["s3"]["bucket"]["name"],
            key=unquote_plus(fields["key"]),
            etag=str(fields["eTag"]).strip('"'),
            size_bytes=int(fields.get("size", 0)),
        )
