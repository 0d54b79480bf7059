"""Sync is told of staged objects: by S3 of those in our bucket, by ourselves of all others.

A message has the form of S3's own notifications. One of a customer's bucket names the tenant as well: it is
not S3 that vouches for it but this code, which knows whose bucket it was.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote_plus

from functions.shared import journal
from functions.shared.aws_client import asked, client
from functions.shared.buckets.contract import Bucket, Found, Listed, Told
from functions.shared.errors import RetryableError
from functions.shared.staging import is_staged
from functions.shared.tenancy import TenantId

OBJECTS_A_MESSAGE = 250
"""About 100 KB; sync settles a message when all of its objects are."""


class TellingError(RetryableError):
    """SQS did not take a message, or its answer was lost; objects told of twice are loaded once."""


class Staged(Protocol):
    """What there is to tell of an object; `etag` without quotes."""

    @property
    def key(self) -> str: ...
    @property
    def etag(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


def notifications(
    objects: Sequence[Staged], source: str = "sweeper", tenant: TenantId | None = None
) -> Iterator[str]:
    """Message bodies of the form S3 itself sends, OBJECTS_A_MESSAGE to a message.

    `tenant`: whose bucket it is; None for ours.
    """
    whose = {"tenant": str(tenant)} if tenant else {}
    for start in range(0, len(objects), OBJECTS_A_MESSAGE):
        records = [_record(each, source) for each in objects[start : start + OBJECTS_A_MESSAGE]]
        yield json.dumps({**whose, "Records": records}, separators=(",", ":"))


def _record(each: Staged, source: str) -> dict[str, object]:
    told = {"key": quote_plus(each.key), "size": each.size_bytes, "eTag": each.etag}
    return {"eventSource": f"astralog:{source}", "s3": {"object": told}}


class Teller:
    """Tells one queue; for as many threads as like to call.

    Parameters
    ----------
    queue: its name.
    source: who tells, for people who read a message.
    sqs: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, queue: str, source: str, sqs: Any = None) -> None:
        self._queue = queue
        self._source = source
        self._sqs = sqs
        self._url = ""

    def tell(self, objects: Sequence[Staged], tenant: TenantId) -> int:
        """Tell of `objects` in the bucket of `tenant`; how many messages it took.

        Raises
        ------
        TellingError: some of them may have been told of.
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
    """A customer's bucket that tells of what is staged in it, as ours does by itself.

    A staged object is told of once it is durable, and again when somebody finds it there already, whose first
    attempt may have died in between. That the telling fails is no fault of the writer's: the sweeper finds
    the object. It is counted as `UntoldObjects` of `function`.
    """

    def __init__(self, bucket: Bucket, teller: Teller, tenant: TenantId, function: str) -> None:
        self._bucket = bucket
        self._teller = teller
        self._tenant = tenant
        self._function = function

    def create(self, key: str, body: bytes, attributes: Mapping[str, str] | None = None) -> str | None:
        etag = self._bucket.create(key, body, attributes)
        if is_staged(key):
            if etag is not None:
                self._tell(key, etag, len(body))
            elif there := self._bucket.get(key):
                # Its own size: a retry's body has other times in it, and compresses to another length.
                self._tell(key, there.etag, len(there.body))
        return etag

    def replace(self, key: str, body: bytes, etag: str) -> bool:
        return self._bucket.replace(key, body, etag)

    def get(self, key: str, told: Told | None = None) -> Found | None:
        return self._bucket.get(key, told)

    def etag_of(self, key: str) -> str | None:
        return self._bucket.etag_of(key)

    def delete(self, keys: Sequence[str]) -> None:
        self._bucket.delete(keys)

    def under(self, prefix: str) -> Iterator[Listed]:
        return self._bucket.under(prefix)

    def _tell(self, key: str, etag: str, size_bytes: int) -> None:
        try:
            self._teller.tell([_Object(key, etag, size_bytes)], self._tenant)
        except TellingError:
            journal.measure(self._function, {"UntoldObjects": (1, "Count")}, tenant_id=self._tenant, key=key)


@dataclass(frozen=True, slots=True)
class _Object:
    key: str
    etag: str
    size_bytes: int


def _failed(code: str) -> TellingError:
    return TellingError(f"SQS: {code}")
