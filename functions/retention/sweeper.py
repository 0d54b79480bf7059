"""Sweep: staged objects that no notification told of are told of again.

Trigger: the scheduler, every five minutes. Promise: an object that waits longer than fifteen minutes is put
on sync's queue, so that a lost notification delays logs by twenty minutes at most and loses none. Sweeping
races with nobody: sync's ledger knows what is loaded, under way or new, and an object it has loaded is gone
from the bucket. One that waits past the day its rows expire is deleted: logs are kept no longer here than
anywhere. On failure the run raises and the next one starts over.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from functions.retention.stale import expired, stale
from functions.shared import journal
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.own import open_bucket
from functions.shared.settings import load
from functions.shared.telling import notifications

PREFIX = "staged/"


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
        listing = list(self.bucket.under(PREFIX))
        over = expired(listing, now.date())
        self.bucket.delete(over)
        gone = frozenset(over)
        found = stale((each for each in listing if each.key not in gone), now)
        messages = 0
        for body in notifications(found):
            self.queue.send_message(QueueUrl=self.queue_url, MessageBody=body)
            messages += 1
        oldest = round((now - found[0].modified_at).total_seconds()) if found else 0
        return {"objects": len(found), "messages": messages, "oldest_seconds": oldest, "expired": len(over)}


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
