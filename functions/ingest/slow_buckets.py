"""How much of ingest one BYOC tenant's slow bucket may hold: few slow requests at once.

A request whose calls to the customer's bucket take more than FREE_SECONDS is slow. At that moment it is
charged with COST_SECONDS, in an account of its tenant that all environments share and that pays back one
second a second. A tenant who owes more than BURST_SECONDS is limited: a request reaches the bucket only with
one of SLOTS leases, all others are answered 503 at once. The limit ends LIMITED_SECONDS after the last slow
request at the latest (docs/adr/0026).

The account is an item of the table of health. A request reads and changes the item of its own tenant only;
those of Managed tenants read none.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from functions.shared.errors import RetryableError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, own_staging

if TYPE_CHECKING:
    from functions.shared.tables.slow_buckets import SlowBucketTable

REQUEST_SECONDS = 3.0
"""For all calls of one request to the bucket, connecting included. A healthy bucket takes 0.3 s each."""

FREE_SECONDS = 1.0
"""A request whose calls take no longer is not slow, and not charged."""

COST_SECONDS = 3.0
"""The cost of a slow request: one in three seconds, in the long run, limits no tenant."""

BURST_SECONDS = 20.0
"""Six slow requests at once, as any bucket may have them, do not limit its owner; the seventh does."""

LIMITED_SECONDS = 300.0

SLOTS = 8

LEASE_SECONDS = 30.0
"""Longer than ingest's timeout: a lease never ends under its holder, and a dead holder's ends by itself."""


class SlowBucketError(RetryableError):
    """The tenant's bucket was slow lately, and as many requests as may are with it now."""


@dataclass(frozen=True, slots=True)
class _Lease:
    number: int
    owner: str


class SlowBuckets:
    """The accounts of slow seconds, and the leases, of all BYOC tenants.

    When DynamoDB fails no tenant is limited: each request still ends within REQUEST_SECONDS.

    Parameters
    ----------
    table: that of health.
    clock: Unix seconds.
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table: str, clock: Callable[[], float] = time.time, dynamodb: Any = None) -> None:
        self._table = table
        self._clock = clock
        self._dynamodb = dynamodb
        self._made: SlowBucketTable | None = None

    @contextmanager
    def admitted(self, tenant: TenantId) -> Iterator[None]:
        """Let a request reach its tenant's bucket in this block.

        Raises
        ------
        SlowBucketError: the tenant is limited, and no lease is free.
        """
        lease = self._admit(tenant)
        try:
            yield
        finally:
            if lease:
                with suppress(StoreUnavailableError):
                    self._items.release(own_staging(tenant), lease.number, lease.owner)

    def charge(self, tenant: TenantId) -> None:
        """Charge the tenant for one slow request; those of several environments at once add up."""
        now = self._clock()
        bucket, most = own_staging(tenant), now + BURST_SECONDS + LIMITED_SECONDS
        # The tenant owes nothing, something, or nearly as much as one can.
        with suppress(StoreUnavailableError):
            (
                self._items.begin_debt(bucket, now + COST_SECONDS, now)
                or self._items.add_debt(bucket, COST_SECONDS, most - COST_SECONDS)
                or self._items.raise_debt(bucket, most)
            )

    def _admit(self, tenant: TenantId) -> _Lease | None:
        """A lease, or None when none is needed."""
        try:
            slow_until, leased_until = self._items.state(own_staging(tenant))
            now = self._clock()
            if slow_until - now <= BURST_SECONDS:
                return None
            free = [number for number in range(SLOTS) if leased_until[number] <= now]
            random.shuffle(free)
            for number in free:
                lease = _Lease(number, uuid4().hex)
                if self._items.lease(own_staging(tenant), number, lease.owner, now + LEASE_SECONDS, now):
                    return lease
        except StoreUnavailableError:
            return None
        raise SlowBucketError("the bucket was slow lately")

    @property
    def _items(self) -> "SlowBucketTable":
        """Loaded on first use: ingest loads neither boto3 nor pynamodb for managed tenants."""
        if self._made is None:
            from functions.shared.tables.slow_buckets import SlowBucketTable

            self._made = SlowBucketTable(self._table, self._dynamodb)
        return self._made
