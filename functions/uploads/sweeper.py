"""Sweep the places that files are put into: those that nobody told us of are told of now.

Trigger: the scheduler, every five minutes. Promise: a file in our bucket or a BYOC customer's, told of by
no notification, is read all the same: put in the last RECENT it is found by the next run, put in the last
MONTH by the next full one, each hour. A bucket that is too large for a run is gone through in several, each
where the one before stopped. What is known and settled is left alone; what stands still while it is
read is told of again. Sweeping races with nobody: told of twice a file is read once. One customer's bucket
that is slow, gone or refuses us keeps no other's from being swept.
On failure: one bucket's is counted as `BucketsUnswept`; the table of destinations raises.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from functions.shared import journal
from functions.shared.apart import Apart
from functions.shared.buckets.contract import BucketRefusedError, Listed
from functions.shared.buckets.drops import DropBucket, Dropped
from functions.shared.custody.buckets import destinations
from functions.shared.custody.destinations import Destinations
from functions.shared.custody.settings import CustodySettings
from functions.shared.errors import AstralogError
from functions.shared.settings import load
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.files import File, digest_of
from functions.uploads.notices import is_file, tenant_of
from functions.uploads.own_clouds import DropCustody, drop_custody
from functions.uploads.own_drops import open_drops
from functions.uploads.queue import DropQueue
from functions.uploads.register import Register

FUNCTION = "sweeper-dropin"
PREFIX = "dropin/"

RECENT = timedelta(hours=2)
MONTH = timedelta(days=30)
"""What is known of a file is kept for three times as long: none is taken for new."""

SETTLE = timedelta(minutes=2)
"""What S3 tells of by itself it tells of sooner."""

STANDS_STILL = timedelta(minutes=45)
"""Longer than a message whose consumer died stays hidden."""

FILES_A_RUN = 5_000
LISTED_A_RUN = 200_000
"""Of a bucket; the next run goes on behind them."""
LOOKED_UP_AT_A_TIME = 500
TOLD_KEPT_IN_MIND = 100_000
HOURLY_MINUTES = 5
"""A run that begins so early in its hour is a full one."""

RESERVE_SECONDS = 10
A_BUCKET_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Settings(CustodySettings):
    drop_bucket: str
    uploads_table: str
    dropped_queue: str
    dropped_byoc_queue: str


class DropSweep:
    """The buckets to look through, and the queues to tell."""

    def __init__(
        self, drops: DropBucket, custody: DropCustody, register: Register, ours: DropQueue, theirs: DropQueue
    ) -> None:
        self._drops = drops
        self._custody = custody
        self._register = register
        self._ours = ours
        self._theirs = theirs
        self._told: dict[str, float] = {}

    def one(
        self, tenant: TenantId | None, now: datetime, may_go_on: Callable[[], bool] = lambda: True
    ) -> int | None:
        """Sweep the bucket of `tenant`, or ours for None; how many files were told of, None if it failed."""
        try:
            if tenant is None:
                return self._swept(None, self._drops, PREFIX, now, may_go_on)
            return self._swept(tenant, self._custody.drops(tenant), dropin_prefix(tenant), now, may_go_on)
        except AstralogError as fault:
            if tenant is not None and isinstance(fault, BucketRefusedError):
                self._custody.forget(tenant)
            journal.write("bucket_unswept", tenant_id=tenant or "", error_type=type(fault).__name__)
            return None

    def _swept(
        self,
        tenant: TenantId | None,
        drops: DropBucket,
        prefix: str,
        now: datetime,
        may_go_on: Callable[[], bool],
    ) -> int:
        """Go on where the last run stopped, as far as one may."""
        after = self._register.swept_to(tenant)
        longest = RECENT if after is None and now.minute >= HOURLY_MINUTES else MONTH
        queue = self._ours if tenant is None else self._theirs
        listing = drops.under(prefix, after or "")
        listed = told = 0
        while page := list(islice(listing, LOOKED_UP_AT_A_TIME)):
            listed += len(page)
            for file in self._untold(_young(page, drops.name, now, longest), now):
                queue.tell(file)
                told += 1
            if listed >= LISTED_A_RUN or told >= FILES_A_RUN or not may_go_on():
                self._register.note_swept(tenant, page[-1].key)
                return told
        if after is not None:
            # One that was not begun at the beginning begins there next time, and looks at all ages again.
            self._register.note_swept(tenant, "" if after else None)
        return told

    def _untold(self, files: Iterable[tuple[TenantId, Dropped]], now: datetime) -> Iterator[Dropped]:
        """Those that are not known, or whose reading stands still."""
        by_tenant: dict[TenantId, dict[str, Dropped]] = {}
        for tenant, file in files:
            by_tenant.setdefault(tenant, {})[digest_of(tenant, file)] = file
        for tenant, digests in by_tenant.items():
            known = self._register.files(tenant, list(digests))
            for digest, file in digests.items():
                if _is_due(known.get(digest), now) and not self._was_told(digest, now):
                    yield file

    def _was_told(self, digest: str, now: datetime) -> bool:
        """Whether we told of it lately: its message waits on the queue. Asked once, it counts as told now."""
        if now.timestamp() - self._told.get(digest, 0) < STANDS_STILL.total_seconds():
            return True
        if len(self._told) >= TOLD_KEPT_IN_MIND:
            self._told.clear()
        self._told[digest] = now.timestamp()
        return False


def _is_due(known: File | None, now: datetime) -> bool:
    if known is None:
        return True
    stands_still = now.timestamp() - max(known.updated_at, known.lease_until) > STANDS_STILL.total_seconds()
    return not known.is_settled and stands_still


def _young(
    listing: Iterable[Listed], bucket: str, now: datetime, longest: timedelta
) -> Iterator[tuple[TenantId, Dropped]]:
    """The files of the listing that are due to be looked up, with whose they are."""
    for each in listing:
        tenant = tenant_of(each.key)
        file = Dropped(bucket, each.key, each.etag, each.size_bytes)
        if tenant and is_file(file, tenant) and SETTLE <= now - each.modified_at < longest:
            yield tenant, file


@dataclass(frozen=True, slots=True)
class _Sweeper:
    """The parts of this function."""

    destinations: Destinations
    sweep: DropSweep


@cache
def _sweeper() -> _Sweeper:
    settings = load(Settings)
    sweep = DropSweep(
        open_drops(settings.drop_bucket),
        drop_custody(settings),
        Register(settings.uploads_table),
        DropQueue(settings.dropped_queue, FUNCTION),
        DropQueue(settings.dropped_byoc_queue, FUNCTION),
    )
    return _Sweeper(destinations(settings), sweep)


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    sweeper = _sweeper()
    tenants: list[TenantId | None] = [*sweeper.destinations.tenants()]
    # Another order each time: what there was no time for is not always the same.
    random.shuffle(tenants)
    return run(sweeper.sweep, [None, *tenants], lambda: context.get_remaining_time_in_millis() / 1000)


def run(
    sweep: DropSweep, tenants: list[TenantId | None], seconds_left: Callable[[], float]
) -> dict[str, int]:
    """Sweep the buckets of `tenants`, None for ours, side by side, and measure."""
    now = datetime.now(UTC)

    def is_time_for_more() -> bool:
        return seconds_left() > RESERVE_SECONDS + A_BUCKET_SECONDS

    # Apart takes None for the end of its keys.
    names = [str(tenant or "") for tenant in tenants]
    apart: Apart[str, int | None] = Apart(
        lambda name: sweep.one(TenantId(name) if name else None, now, is_time_for_more),
        lambda: seconds_left() - RESERVE_SECONDS,
        is_time_for_more,
    )
    results, _ = apart.run(names)
    swept = [told for told in results.values() if told is not None]
    outcome = {"files": sum(swept), "unswept": len(tenants) - len(swept)}
    journal.measure(
        FUNCTION,
        {"UntoldFiles": (outcome["files"], "Count"), "BucketsUnswept": (outcome["unswept"], "Count")},
    )
    return outcome
