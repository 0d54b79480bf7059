"""Sweep all drop buckets: find files whose S3 notification was lost and publish them.

Trigger: the scheduler, every five minutes. Promise: a file in our drop bucket or a BYOC customer's is read
although its notification was lost. The next run finds a file of the last RECENT; the next full run, once an
hour, finds one of the last MONTH. A bucket that is too large for one run takes several; each continues where
the previous one stopped. Known and settled files are left alone; a file whose reading stands still is
published again. Files of an account with a backlog are published by full runs only: most of them are in it.
Sweeping is free of races: a file that is published twice is read once.
Our drop bucket is swept first, for OURS_SECONDS at most, before any customer's bucket is contacted: no
response from a customer's endpoint can take time from it, whatever that does to this process. A customer's
bucket that is slow, missing, endless or denies access does not delay the other buckets: each has a thread and
A_BUCKET_SECONDS for all of its responses. Its turn is recorded before the first request, and the customer
whose last turn is the longest ago comes first (functions.shared.turns).
Failure: a failed bucket is counted as `BucketsUnswept`; a failed read of the destinations table raises.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from functions.shared import journal
from functions.shared.buckets.contract import BucketRefusedError, ListedObject
from functions.shared.buckets.drop_bucket import DropBucket, DroppedFile
from functions.shared.byoc.buckets import destination_store
from functions.shared.byoc.destination_store import DestinationStore
from functions.shared.byoc.settings import ByocSettings
from functions.shared.egress.response_limits import bounded
from functions.shared.errors import AstralogError
from functions.shared.fan_out import FanOut
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnClock, TurnLog, fair_order
from functions.uploads.backlog import Backlogs
from functions.uploads.customer_buckets import CustomerDropBuckets, customer_drop_buckets
from functions.uploads.files import File, digest_of
from functions.uploads.managed_drop_bucket import open_drops
from functions.uploads.notifications import is_file, tenant_of
from functions.uploads.queue import DropQueue
from functions.uploads.register import UploadRegister

FUNCTION = "sweeper-dropin"
PREFIX = "dropin/"

RECENT = timedelta(hours=2)
MONTH = timedelta(days=30)
"""The table of uploads keeps a file for three times as long, so a known file never counts as new."""

SETTLE = timedelta(minutes=2)
"""S3's own notification arrives within this time."""

STANDS_STILL = timedelta(minutes=45)
"""Longer than the visibility timeout of a message whose consumer died."""

FILES_A_RUN = 5_000
LISTED_A_RUN = 200_000
"""Limits for one bucket; the next run continues after them."""
LOOKED_UP_AT_A_TIME = 500
MAX_REMEMBERED_FILES = 100_000
HOURLY_MINUTES = 5
"""A run that begins within so many minutes of the hour is a full run."""

RESERVE_SECONDS = 10
A_BUCKET_SECONDS = 60
"""One customer's share of a run: the time to wait for all responses of the bucket."""

OURS_SECONDS = 150
"""The share of our drop bucket: half of a run."""


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    drop_bucket: str
    uploads_table: str
    dropped_queue: str
    dropped_byoc_queue: str
    turns_table: str


class DropSweep:
    """The buckets to sweep, and the queues to publish on."""

    def __init__(
        self,
        drops: DropBucket,
        customer_buckets: CustomerDropBuckets,
        register: UploadRegister,
        backlogs: Backlogs,
        ours: DropQueue,
        theirs: DropQueue,
        turns: TurnLog,
    ) -> None:
        self._drops = drops
        self._customer_buckets = customer_buckets
        self._register = register
        self._backlogs = backlogs
        self._ours = ours
        self._theirs = theirs
        self._turns = turns
        self._published_at: dict[str, float] = {}

    def in_order(self, tenants: Iterable[TenantId]) -> list[TenantId]:
        """`tenants` in the order of their turns."""
        waiting = dict.fromkeys(tenants, 0.0)
        return fair_order(waiting, self._turns.last(waiting))

    def one(
        self, tenant: TenantId | None, now: datetime, has_time: Callable[[], bool] = lambda: True
    ) -> int | None:
        """Sweep the bucket of `tenant`, ours for None.

        Return the number of published files; None if the sweep failed.
        """
        try:
            if tenant is None:
                return self._swept(None, self._drops, PREFIX, now, has_time)
            self._turns.begin(tenant)
            with bounded(math.inf, A_BUCKET_SECONDS):
                drops = self._customer_buckets.drops(tenant)
                return self._swept(tenant, drops, dropin_prefix(tenant), now, has_time)
        except AstralogError as fault:
            if tenant is not None and isinstance(fault, BucketRefusedError):
                self._customer_buckets.evict(tenant)
            journal.write("bucket_unswept", tenant_id=tenant or "", error_type=type(fault).__name__)
            return None

    def _swept(
        self,
        tenant: TenantId | None,
        drops: DropBucket,
        prefix: str,
        now: datetime,
        has_time: Callable[[], bool],
    ) -> int:
        """Continue where the last run stopped, for as long as `has_time` permits."""
        after = self._register.swept_to(tenant)
        longest = RECENT if after is None and now.minute >= HOURLY_MINUTES else MONTH
        is_full_run = longest == MONTH
        queue = self._ours if tenant is None else self._theirs
        listing = drops.under(prefix, after or "")
        listed = published = 0
        while page := list(islice(listing, LOOKED_UP_AT_A_TIME)):
            listed += len(page)
            for file in self._unpublished(_young(page, drops.name, now, longest), now, is_full_run):
                queue.publish(file)
                published += 1
            if listed >= LISTED_A_RUN or published >= FILES_A_RUN or not has_time():
                self._register.note_swept(tenant, page[-1].key)
                return published
        if after is not None:
            # A sweep that began after a key starts at the beginning next time, and looks at all ages again.
            self._register.note_swept(tenant, "" if after else None)
        return published

    def _unpublished(
        self, files: Iterable[tuple[TenantId, DroppedFile]], now: datetime, is_full_run: bool
    ) -> Iterator[DroppedFile]:
        """The files that are not known, or whose reading stands still.

        While an account has a backlog, its files are probably in it. Only a full run publishes them again.
        """
        by_tenant: dict[TenantId, dict[str, DroppedFile]] = {}
        for tenant, file in files:
            by_tenant.setdefault(tenant, {})[digest_of(tenant, file)] = file
        for tenant, digests in by_tenant.items():
            known = self._register.files(tenant, list(digests))
            missing = [each for each in digests if _needs_publishing(known.get(each), now)]
            if missing and not is_full_run and self._backlogs.look(tenant).batches:
                continue
            for digest in missing:
                if not self._was_published(digest, now):
                    yield digests[digest]

    def _was_published(self, digest: str, now: datetime) -> bool:
        """Whether the file was published lately, so that its message waits on the queue.

        Asking records the file as published now.
        """
        if now.timestamp() - self._published_at.get(digest, 0) < STANDS_STILL.total_seconds():
            return True
        if len(self._published_at) >= MAX_REMEMBERED_FILES:
            self._published_at.clear()
        self._published_at[digest] = now.timestamp()
        return False


def _needs_publishing(known: File | None, now: datetime) -> bool:
    if known is None:
        return True
    stands_still = now.timestamp() - max(known.updated_at, known.lease_until) > STANDS_STILL.total_seconds()
    return not known.is_settled and stands_still


def _young(
    listing: Iterable[ListedObject], bucket: str, now: datetime, longest: timedelta
) -> Iterator[tuple[TenantId, DroppedFile]]:
    """The files of the listing in the range of ages to look up, each with its tenant."""
    for each in listing:
        tenant = tenant_of(each.key)
        file = DroppedFile(bucket, each.key, each.etag, each.size_bytes)
        if tenant and is_file(file, tenant) and SETTLE <= now - each.modified_at < longest:
            yield tenant, file


@dataclass(frozen=True, slots=True)
class _DropInSweeper:
    """The parts of this function."""

    destinations: DestinationStore
    sweep: DropSweep


@cache
def _sweeper() -> _DropInSweeper:
    settings = load(Settings)
    sweep = DropSweep(
        open_drops(settings.drop_bucket),
        customer_drop_buckets(settings),
        UploadRegister(settings.uploads_table),
        Backlogs(settings.uploads_table),
        DropQueue(settings.dropped_queue, FUNCTION),
        DropQueue(settings.dropped_byoc_queue, FUNCTION),
        DynamoTurnLog(settings.turns_table, FUNCTION, open_client()),
    )
    return _DropInSweeper(destination_store(settings), sweep)


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    sweeper = _sweeper()
    return run(
        sweeper.sweep, sweeper.destinations.tenants, lambda: context.get_remaining_time_in_millis() / 1000
    )


def run(
    sweep: DropSweep, tenants: Callable[[], Iterable[TenantId]], seconds_left: Callable[[], float]
) -> dict[str, int]:
    """Sweep our drop bucket, then those of `tenants` in parallel; measure.

    Raises
    ------
    StoreUnavailableError: after our drop bucket was swept.
    """
    now, left = datetime.now(UTC), TurnClock(seconds_left)
    with left.turn(OURS_SECONDS):
        ours = sweep.one(None, now, lambda: left() > RESERVE_SECONDS)

    def is_time_for_more() -> bool:
        return seconds_left() > RESERVE_SECONDS + A_BUCKET_SECONDS

    fan_out: FanOut[TenantId, int | None] = FanOut(
        lambda tenant: sweep.one(tenant, now, is_time_for_more),
        lambda: seconds_left() - RESERVE_SECONDS,
        is_time_for_more,
    )
    order = sweep.in_order(tenants())
    results, _ = fan_out.run(order)
    swept = [files for files in (ours, *results.values()) if files is not None]
    outcome = {"files": sum(swept), "unswept": len(order) + 1 - len(swept)}
    journal.measure(
        FUNCTION,
        {"UnpublishedFiles": (outcome["files"], "Count"), "BucketsUnswept": (outcome["unswept"], "Count")},
    )
    return outcome
