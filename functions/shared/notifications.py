"""Notify sync of staged objects: S3 does so for our bucket, this module for all others.

A message has the format of S3's notifications. For a customer's bucket it also names the tenant: the sender
is this code, which knows whose bucket it is, and not S3.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote_plus

from functions.shared import journal
from functions.shared.aws_client import asked, client
from functions.shared.buckets.contract import Bucket, ExpectedObject, ListedObject, ObjectBody
from functions.shared.errors import RetryableError
from functions.shared.events.staged_key import is_staged
from functions.shared.tenancy import TenantId

OBJECTS_A_MESSAGE = 250
"""About 100 KB; sync deletes a message when all of its objects are done."""


class NotificationError(RetryableError):
    """SQS did not accept a message, or its response was lost; an object reported twice is loaded once."""


class NotifiedObject(Protocol):
    """The facts that a notification has of an object; `etag` without quotes."""

    @property
    def key(self) -> str: ...
    @property
    def etag(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


def notifications(
    objects: Sequence[NotifiedObject], source: str = "sweeper", tenant: TenantId | None = None
) -> Iterator[str]:
    """Message bodies in the format of S3's notifications, with OBJECTS_A_MESSAGE objects each.

    `tenant`: the owner of the bucket; None for ours.
    """
    whose = {"tenant": str(tenant)} if tenant else {}
    for start in range(0, len(objects), OBJECTS_A_MESSAGE):
        records = [_record(each, source) for each in objects[start : start + OBJECTS_A_MESSAGE]]
        yield json.dumps({**whose, "Records": records}, separators=(",", ":"))


def _record(each: NotifiedObject, source: str) -> dict[str, object]:
    fields = {"key": quote_plus(each.key), "size": each.size_bytes, "eTag": each.etag}
    return {"eventSource": f"astralog:{source}", "s3": {"object": fields}}


class QueueNotifier:
    """Sends notifications to one queue; thread-safe.

    Parameters
    ----------
    queue: its name.
    source: the sender, for people who read a message.
    sqs: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, queue: str, source: str, sqs: Any = None) -> None:
        self._queue = queue
        self._source = source
        self._sqs = sqs
        self._url = ""

    def notify(self, objects: Sequence[NotifiedObject], tenant: TenantId) -> int:
        """Notify of `objects` in the bucket of `tenant`; returns the number of messages.

        Raises
        ------
        NotificationError: notifications of some objects may have been sent.
        """
        messages = 0
        for body in notifications(objects, self._source, tenant):
            self._send(body)
            messages += 1
        return messages

    def _send(self, body: str) -> None:
        self._sqs = self._sqs or client("sqs")
        if not self._url:
            self._url = asked(lambda: self._sqs.get_queue_url(QueueName=self._queue), _failed)["QueueUrl"]
        asked(lambda: self._sqs.send_message(QueueUrl=self._url, MessageBody=body), _failed)


class NotifyingBucket:
    """A customer's bucket that sends notifications of objects staged in it, as our bucket does by itself.

    A notification is sent once the object is durable, and again when a writer finds that the object exists,
    because the first writer may have died before sending it. A failed notification is not the writer's error:
    the sweeper finds the object. It is counted as `UnpublishedObjects` of `function`.
    """

    def __init__(self, bucket: Bucket, notifier: QueueNotifier, tenant: TenantId, function: str) -> None:
        self._bucket = bucket
        self._notifier = notifier
        self._tenant = tenant
        self._function = function

    def create(self, key: str, body: bytes, attributes: Mapping[str, str] | None = None) -> str | None:
        etag = self._bucket.create(key, body, attributes)
        if is_staged(key):
            if etag is not None:
                self._notify(key, etag, len(body))
            elif there := self._bucket.get(key):
                # The stored size: a retry's body has other times in it, and compresses to another length.
                self._notify(key, there.etag, len(there.body))
        return etag

    def replace(self, key: str, body: bytes, etag: str) -> bool:
        return self._bucket.replace(key, body, etag)

    def get(self, key: str, expected: ExpectedObject | None = None) -> ObjectBody | None:
        return self._bucket.get(key, expected)

    def etag_of(self, key: str) -> str | None:
        return self._bucket.etag_of(key)

    def delete(self, keys: Sequence[str]) -> None:
        self._bucket.delete(keys)

    def under(self, prefix: str) -> Iterator[ListedObject]:
        return self._bucket.under(prefix)

    def _notify(self, key: str, etag: str, size_bytes: int) -> None:
        try:
            self._notifier.notify([_WrittenObject(key, etag, size_bytes)], self._tenant)
        except NotificationError:
            journal.measure(
                self._function, {"UnpublishedObjects": (1, "Count")}, tenant_id=self._tenant, key=key
            )


@dataclass(frozen=True, slots=True)
class _WrittenObject:
    key: str
    etag: str
    size_bytes: int


def _failed(code: str) -> NotificationError:
    return NotificationError(f"SQS: {code}")
