"""What customers who moved to a cloud of their own left in our buckets: it goes when their grace is over.

Originals of files that they chose to keep, how far the reading of files had come, marks of `Idempotency-Key`
and what was set aside. What is staged is on its way into ClickHouse, and its rows go from there.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from functions.shared.buckets.contract import Bucket, Listed
from functions.shared.buckets.drops import Dropped
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
"""What is younger may be in use: who puts a file into the wrong bucket is told so once it was looked at."""

KEYS_A_STEP = 1000

A_TENANT_SECONDS = 60
"""One tenant's share of a run: what is left of a million objects, later runs delete."""


class Drops(Protocol):
    """What is asked of functions.shared.buckets.drops.DropBucket."""

    name: str

    def under(self, prefix: str) -> Iterator[Listed]: ...
    def delete(self, file: Dropped) -> None: ...


def forget_left_behind(
    staging: Bucket,
    drops: Drops,
    tenants: Sequence[TenantId],
    now: datetime,
    may_go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Delete what `tenants` have left in our buckets, as far as there is time; how many objects that were.

    Each tenant has A_TENANT_SECONDS in a run, in random order: what one has left keeps no other from its
    share, also after a run that died. Errors are those of the buckets.
    """
    deleted, clock = 0, TurnClock(lambda: math.inf)
    for tenant in random.sample(tenants, len(tenants)):
        with clock.turn(A_TENANT_SECONDS):
            deleted += _forget(staging, drops, tenant, now, lambda: may_go_on() and clock() > 0)
    return deleted


def _forget(
    staging: Bucket, drops: Drops, tenant: TenantId, now: datetime, may_go_on: Callable[[], bool]
) -> int:
    deleted = 0
    for prefix in PREFIXES:
        old = _old(staging.under(prefix(tenant)), now)
        while may_go_on() and (some := [each.key for each in islice(old, KEYS_A_STEP)]):
            staging.delete(some)
            deleted += len(some)
    files = _old(drops.under(dropin_prefix(tenant)), now)
    while may_go_on() and (file := next(files, None)):
        drops.delete(Dropped(drops.name, file.key, file.etag, file.size_bytes))
        deleted += 1
    return deleted


def _old(listing: Iterator[Listed], now: datetime) -> Iterator[Listed]:
    return (each for each in listing if now - each.modified_at > UNDER_WAY)
