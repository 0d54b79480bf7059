"""The notification of a write to a customer's bucket is about the object that is there."""

import json
from datetime import date
from typing import Any

from obstore.store import MemoryStore

from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey
from functions.shared.notifications import NotifyingBucket, QueueNotifier
from functions.shared.tenancy import TenantId

ACME = TenantId("acme")


class Sqs:
    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": QueueName}

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: ARG002, N803
        self.bodies.append(json.loads(MessageBody))


def test_a_retry_publishes_the_object_that_is_there_and_not_its_own_body() -> None:
    """A retry is compressed anew; published with its size, the first object would look exchanged to sync."""
    sqs, theirs = Sqs(), PlatformBucket(MemoryStore())
    bucket = NotifyingBucket(theirs, QueueNotifier("queue", "ingest", sqs), ACME, "ingest")
    key = str(StagedKey(ACME, date(2026, 11, 23), "0" * 26, 1, 300, date(2026, 12, 23)))

    etag = bucket.create(key, b"the first, and longer")
    assert bucket.create(key, b"a retry") is None

    objects = [body["Records"][0]["s3"]["object"] for body in sqs.bodies]
    assert [(each["eTag"], each["size"]) for each in objects] == [(etag, 21), (etag, 21)]
