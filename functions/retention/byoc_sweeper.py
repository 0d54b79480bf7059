"""Sweep customers' own buckets: queue staged objects that sync has not loaded again.

Trigger: the scheduler, every five minutes. Promise: objects that wait in a BYOC customer's bucket for longer
than fifteen minutes are queued again, the oldest first as S3 lists them, at most OBJECTS_A_RUN for each
tenant and run. Marks of `Idempotency-Key` that are older than MARKS_KEPT are deleted; in our own bucket a
lifecycle rule does that. A bucket that is slow, gone, endless or rejects us does not keep other tenants'
buckets from being swept: each is listed in its own thread, with A_BUCKET_SECONDS for all of its answers. The
start of a turn is recorded before the first request, and the tenants whose last turn is the longest ago come
first: tenants that were not reached come first in the next run, and tenants whose sweep was under way when a
run died come last.

Destinations whose circuit is open are swept too: in an outage sync drops its messages, so these objects are
what the next attempt is made with. They are few (OBJECTS_A_RUN), and sync drops them at once.
On failure: one tenant's failure is counted as `BucketsUnswept`. Failures of the table of destinations or of
the queue raise.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from functions.retention.stale import stale
from functions.shared import journal
from functions.shared.buckets.contract import Bucket, BucketRefusedError, ListedObject
from functions.shared.byoc.buckets import ByocBuckets, byoc_buckets, destination_store
from functions.shared.byoc.destination_store import DestinationStore
from functions.shared.byoc.settings import ByocSettings
from functions.shared.egress.response_limits import bounded
from functions.shared.errors import AstralogError
from functions.shared.fan_out import FanOut
from functions.shared.notifications import NotificationError, QueueNotifier
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId, idempotency_prefix, staged_prefix
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnLog, fair_order

OBJECTS_A_RUN = 50_000
"""200 messages, 50 pages of a listing; the rest is queued five minutes later."""

OBJECTS_A_STEP = 5_000
"""Objects in memory at a time, for each bucket that is being swept: a key may have a kilobyte."""

MARKS_A_STEP = 1000
MARKS_KEPT = timedelta(days=2)
"""A mark is valid for a day; an upload that began under it may take another day."""

RESERVE_SECONDS = 10
A_BUCKET_SECONDS = 60
"""One tenant's share of a run: the longest time that the run waits for answers of its bucket."""

MARKS_SECONDS = 120
"""The same for deleting its marks, once an hour."""

FUNCTION = "sweeper-byoc"

_OURS = (NotificationError, StoreUnavailableError)


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    byoc_queue: str
    turns_table: str


@dataclass(frozen=True, slots=True)
class SweptBucket:
    """The sweep of one bucket: objects queued, messages, age of the oldest object, marks deleted."""

    objects: int
    messages: int
    oldest_seconds: int
    marks: int


class ByocSweep:
    """The buckets to sweep, the queue to notify, and the turns of the tenants."""

    def __init__(self, byoc_clients: ByocBuckets, notifier: QueueNotifier, turns: TurnLog) -> None:
        self._byoc_clients = byoc_clients
        self._notifier = notifier
        self._turns = turns

    def in_order(self, tenants: Iterable[TenantId]) -> list[TenantId]:
        """`tenants` in the order of their turns."""
        waiting = dict.fromkeys(tenants, 0.0)
        return fair_order(waiting, self._turns.last(waiting))

    def sweep_bucket(
        self, tenant: TenantId, now: datetime, has_time: Callable[[], bool] = lambda: True
    ) -> SweptBucket | None:
        """Sweep the bucket of `tenant`; None if that was not possible.

        `has_time`: whether there is time to list another thousand marks.

        Raises
        ------
        NotificationError, StoreUnavailableError: a failure on our side, for all
        tenants.
        """
        self._turns.begin(tenant)
        try:
            with bounded(math.inf, A_BUCKET_SECONDS):
                bucket = self._byoc_clients.bucket(tenant)
                objects, messages, oldest = self._send_stale(bucket, tenant, now)
            with bounded(math.inf, MARKS_SECONDS):
                marks = _delete_old_marks(bucket, tenant, now, has_time) if now.minute < 5 else 0
        except _OURS:
            raise
        except AstralogError as fault:
            if isinstance(fault, BucketRefusedError):
                self._byoc_clients.evict(tenant)
            journal.write("bucket_unswept", tenant_id=tenant, error_type=type(fault).__name__)
            return None
        return SweptBucket(objects, messages, round((now - oldest).total_seconds()), marks)

    def _send_stale(self, bucket: Bucket, tenant: TenantId, now: datetime) -> tuple[int, int, datetime]:
        """Queue the stale objects; their number, the number of messages, and when the oldest was put."""
        listing = _first(_staged(bucket, tenant), OBJECTS_A_RUN)
        objects, messages, oldest = 0, 0, now
        while some := list(islice(listing, OBJECTS_A_STEP)):
            found = stale(some, now)
            messages += self._notifier.notify(found, tenant)
            objects += len(found)
            oldest = min([oldest, *(each.modified_at for each in found[:1])])
        return objects, messages, oldest

    def abandon(self, tenant: TenantId) -> None:
        """Do not use this bucket's client again: a thread that missed its deadline may still be using it."""
        self._byoc_clients.evict(tenant)


def _staged(bucket: Bucket, tenant: TenantId) -> Iterator[ListedObject]:
    """The staged objects in the bucket; a customer's endpoint may list other keys than those requested."""
    prefix = staged_prefix(tenant)
    return (each for each in bucket.under(prefix) if each.key.startswith(prefix))


def _first(listing: Iterable[ListedObject], count: int) -> Iterator[ListedObject]:
    """S3 lists keys in order, and within a tenant that is the order of time: the oldest come first."""
    return islice(iter(listing), count)


def _delete_old_marks(bucket: Bucket, tenant: TenantId, now: datetime, has_time: Callable[[], bool]) -> int:
    """Delete old marks of `Idempotency-Key`; only in one run an hour, because a listing is not free.

    Marks are not listed by age: marks that one run does not reach are not reached on the next day either.
    """
    listing, deleted = iter(bucket.under(idempotency_prefix(tenant))), 0
    while has_time() and (some := list(islice(listing, MARKS_A_STEP))):
        old = [each.key for each in some if now - each.modified_at > MARKS_KEPT]
        bucket.delete(old)
        deleted += len(old)
    return deleted


@dataclass(frozen=True, slots=True)
class _ByocSweepService:
    """The parts of this function."""

    destinations: DestinationStore
    sweep: ByocSweep


@cache
def _service() -> _ByocSweepService:
    settings = load(Settings)
    turns = DynamoTurnLog(settings.turns_table, FUNCTION, open_client())
    sweep = ByocSweep(byoc_buckets(settings), QueueNotifier(settings.byoc_queue, FUNCTION), turns)
    return _ByocSweepService(destination_store(settings), sweep)


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    sweeper = _service()
    tenants = sweeper.sweep.in_order(sweeper.destinations.tenants())
    return run(sweeper.sweep, tenants, lambda: context.get_remaining_time_in_millis() / 1000)


def run(sweep: ByocSweep, tenants: list[TenantId], seconds_left: Any) -> dict[str, int]:
    """Sweep the buckets of `tenants` in parallel, and publish the metrics.

    Raises
    ------
    NotificationError, StoreUnavailableError: the other buckets are swept and
    measured.
    """
    now = datetime.now(UTC)
    faults: list[AstralogError] = []

    def is_time_for_more() -> bool:
        return bool(seconds_left() > RESERVE_SECONDS + A_BUCKET_SECONDS)

    def swept_or_not(tenant: TenantId) -> SweptBucket | None:
        try:
            return sweep.sweep_bucket(tenant, now, is_time_for_more)
        except _OURS as fault:
            faults.append(fault)
            return None

    fan_out: FanOut[TenantId, SweptBucket | None] = FanOut(
        swept_or_not,
        lambda: seconds_left() - RESERVE_SECONDS,
        is_time_for_more,
    )
    results, abandoned = fan_out.run(tenants)
    for tenant in abandoned:
        sweep.abandon(tenant)
    swept = [each for each in results.values() if each]
    figures = {
        "objects": sum(each.objects for each in swept),
        "messages": sum(each.messages for each in swept),
        "marks": sum(each.marks for each in swept),
        "unswept": len(tenants) - len(swept),
        "oldest_seconds": max((each.oldest_seconds for each in swept), default=0),
    }
    journal.measure(
        FUNCTION,
        {
            "StaleObjects": (figures["objects"], "Count"),
            "OldestStagedSeconds": (figures["oldest_seconds"], "Seconds"),
            "BucketsUnswept": (figures["unswept"], "Count"),
        },
        messages=figures["messages"],
    )
    if faults:
        raise faults[0]
    return figures
