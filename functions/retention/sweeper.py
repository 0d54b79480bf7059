"""Sweep: queue staged objects again whose notification was lost.

Trigger: the scheduler, every five minutes. Promise: an object that waits for longer than fifteen minutes is
put on sync's queue, so that a lost notification delays logs by twenty minutes at most and loses none.
Sweeping cannot conflict with sync: sync's ledger knows what is loaded, under way or new, and a loaded object
is gone from the bucket. An object that waits past the expiry day of its rows is deleted: logs are kept no
longer here than elsewhere.
A run looks at the OBJECTS_A_TENANT oldest objects of each tenant, and begins at a random tenant: neither a
tenant with millions of objects nor a run that died keeps the objects of others from being found.
On failure: the run raises and the next one starts over.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

import boto3

from functions.retention.stale import expired, stale
from functions.shared import journal
from functions.shared.buckets.contract import ListedObject
from functions.shared.buckets.platform import PlatformBucket, open_bucket
from functions.shared.notifications import notifications
from functions.shared.powertools import instrumented
from functions.shared.settings import load

PREFIX = "staged/"

OBJECTS_A_STEP = 10_000
"""Objects of a listing in memory at a time: after an outage of days the listing has millions."""

OBJECTS_A_TENANT = 50_000
"""One tenant's share of a run; the rest follows once sync has loaded some."""

RESERVE_SECONDS = 20

_FOLDER = re.compile(r"staged/v1/tenant=[^/]+/")


@dataclass(frozen=True, slots=True)
class Settings:
    staging_bucket: str
    staged_queue: str


@dataclass(frozen=True, slots=True)
class StagingSweep:
    """The bucket to list and the queue to notify."""

    bucket: PlatformBucket
    queue: Any
    queue_url: str

    def run(self, now: datetime, has_time: Callable[[], bool] = lambda: True) -> dict[str, int]:
        """Queue the objects that are stale at `now`: how many objects and messages, and the oldest's age.

        `expired` objects are deleted and not queued. `has_time`: whether there is time for another step.
        """
        listing = self._listing(f"{PREFIX}v1/tenant={secrets.token_urlsafe(2)}")
        queued, messages, lost, oldest = 0, 0, 0, now
        while has_time() and (some := list(islice(listing, OBJECTS_A_STEP))):
            over = expired(some, now.date())
            self.bucket.delete(over)
            lost += len(over)
            gone = frozenset(over)
            found = stale((each for each in some if each.key not in gone), now)
            messages += self._queue(found)
            queued += len(found)
            oldest = min([oldest, *(each.modified_at for each in found[:1])])
        oldest_seconds = round((now - oldest).total_seconds())
        return {"objects": queued, "messages": messages, "oldest_seconds": oldest_seconds, "expired": lost}

    def _listing(self, start: str) -> Iterator[ListedObject]:
        """From `start` to the end, then from the beginning to `start`."""
        yield from self._shares(start)
        for each in self._shares(None):
            if each.key > start:
                return
            yield each

    def _shares(self, after: str | None) -> Iterator[ListedObject]:
        """The objects after the key `after`, at most the first OBJECTS_A_TENANT of each tenant."""
        folder, count = "", 0
        while True:
            for each in self.bucket.under(PREFIX, after):
                found = _FOLDER.match(each.key)
                if (found[0] if found else "") != folder:
                    folder, count = found[0] if found else "", 0
                count += 1
                if folder and count > OBJECTS_A_TENANT:
                    break
                yield each
            else:
                return
            # "0" is the character after "/": it sorts after this folder and before that of any other tenant.
            after = f"{folder[:-1]}0"

    def _queue(self, found: Sequence[ListedObject]) -> int:
        """Queue the objects; the number of messages."""
        messages = 0
        for body in notifications(found):
            self.queue.send_message(QueueUrl=self.queue_url, MessageBody=body)
            messages += 1
        return messages


@cache
def _sweep() -> StagingSweep:
    settings = load(Settings)
    queue = boto3.client("sqs")
    url = queue.get_queue_url(QueueName=settings.staged_queue)["QueueUrl"]
    return StagingSweep(open_bucket(settings.staging_bucket), queue, url)


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    swept = _sweep().run(
        datetime.now(UTC), lambda: context.get_remaining_time_in_millis() > RESERVE_SECONDS * 1000
    )
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
