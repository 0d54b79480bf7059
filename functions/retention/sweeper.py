"""Sweep: staged objects that no notification told of are told of again.

Trigger: the scheduler, every five minutes. Promise: an object that waits longer than fifteen minutes is put
on sync's queue, so that a lost notification delays logs by twenty minutes at most and loses none. Sweeping
races with nobody: sync's ledger knows what is loaded, under way or new, and an object it has loaded is gone
from the bucket. One that waits past the day its rows expire is deleted: logs are kept no longer here than
anywhere. On failure the run raises and the next one starts over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

import boto3

from functions.retention.stale import expired, stale
from functions.shared import journal
from functions.shared.buckets.contract import Bucket, Listed
from functions.shared.buckets.own import open_bucket
from functions.shared.settings import load
from functions.shared.telling import notifications

PREFIX = "staged/"

OBJECTS_A_STEP = 10_000
"""Of a listing held at once: after an outage of days it has millions."""


@dataclass(frozen=True, slots=True)
class Settings:
    staging_bucket: str
    staged_queue: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """The bucket to look through and the queue to tell."""

    bucket: Bucket
    queue: Any
    queue_url: str

    def run(self, now: datetime) -> dict[str, int]:
        """Tell of what is stale at `now`: how many objects, in how many messages, and the oldest's age.

        What has `expired` is deleted and not told of.
        """
        listing = iter(self.bucket.under(PREFIX))
        told, messages, lost, oldest = 0, 0, 0, now
        while some := list(islice(listing, OBJECTS_A_STEP)):
            over = expired(some, now.date())
            self.bucket.delete(over)
            lost += len(over)
            gone = frozenset(over)
            found = stale((each for each in some if each.key not in gone), now)
            messages += self._tell(found)
            told += len(found)
            oldest = min([oldest, *(each.modified_at for each in found[:1])])
        oldest_seconds = round((now - oldest).total_seconds())
        return {"objects": told, "messages": messages, "oldest_seconds": oldest_seconds, "expired": lost}

    def _tell(self, found: Sequence[Listed]) -> int:
        """How many messages it took."""
        messages = 0
        for body in notifications(found):
            self.queue.send_message(QueueUrl=self.queue_url, MessageBody=body)
            messages += 1
        return messages


@cache
def _sweep() -> Sweep:
    settings = load(Settings)
    queue = boto3.client("sqs")
    url = queue.get_queue_url(QueueName=settings.staged_queue)["QueueUrl"]
    return Sweep(open_bucket(settings.staging_bucket), queue, url)


def handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    swept = _sweep().run(datetime.now(UTC))
    journal.measure(
        "sweeper",
        {
            "StaleObjects": (swept["objects"], "Count"),
            "OldestStagedSeconds": (swept["oldest_seconds"], "Seconds"),
            "ExpiredObjects": (swept["expired"], "Count"),
        },
        messages=swept["messages"],
    )
    return swept
