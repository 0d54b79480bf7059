"""Delete what customers who moved to BYOC left in our buckets, when their grace period is over.

These are originals of files that they chose to keep, checkpoints of files, marks of `Idempotency-Key` and the
quarantine. Staged objects stay: they are on their way into ClickHouse, and the purge deletes their rows
there.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from functions.shared.buckets.contract import Bucket, ListedObject
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tenancy import (
    TenantId,
    checkpoint_prefix,
    dropin_prefix,
    idempotency_prefix,
    quarantine_prefix,
)
from functions.shared.turns import TurnClock

PREFIXES = (checkpoint_prefix, idempotency_prefix, quarantine_prefix)

UNDER_WAY = timedelta(hours=2)
"""Younger objects may be in use: a customer who puts a file into the wrong bucket is notified once it was
read."""

KEYS_A_STEP = 1000

A_TENANT_SECONDS = 60
"""One tenant's share of a run; later runs delete what is left of a million objects."""


class Drops(Protocol):
    """The part of functions.shared.buckets.drop_bucket.DropBucket that is used here."""

    name: str

    def under(self, prefix: str) -> Iterator[ListedObject]: ...
    def delete(self, file: DroppedFile) -> None: ...


def delete_leftovers(
    staging: Bucket,
    drops: Drops,
    tenants: Sequence[TenantId],
    now: datetime,
    has_time: Callable[[], bool] = lambda: True,
) -> int:
    """Delete what `tenants` have left in our buckets, while there is time; how many objects were deleted.

    Each tenant has A_TENANT_SECONDS in a run, in random order: no tenant's objects keep another tenant from
    its share, also after a run that died. Errors are those of the buckets.
    """
    deleted, clock = 0, TurnClock(lambda: math.inf)
    for tenant in random.sample(tenants, len(tenants)):
        with clock.turn(A_TENANT_SECONDS):
            deleted += _delete_leftovers_of(staging, drops, tenant, now, lambda: has_time() and clock() > 0)
    return deleted


def _delete_leftovers_of(
    staging: Bucket, drops: Drops, tenant: TenantId, now: datetime, has_time: Callable[[], bool]
) -> int:
    deleted = 0
    for prefix in PREFIXES:
        old = _old(staging.under(prefix(tenant)), now)
        while has_time() and (some := [each.key for each in islice(old, KEYS_A_STEP)]):
            staging.delete(some)
            deleted += len(some)
    files = _old(drops.under(dropin_prefix(tenant)), now)
    while has_time() and (file := next(files, None)):
        drops.delete(DroppedFile(drops.name, file.key, file.etag, file.size_bytes))
        deleted += 1
    return deleted


def _old(listing: Iterator[ListedObject], now: datetime) -> Iterator[ListedObject]:
    return (each for each in listing if now - each.modified_at > UNDER_WAY)
