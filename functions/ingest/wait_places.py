"""Places to wait in: a request with `?wait=true` holds an execution environment only while it has one.

A place is an object of the staging bucket, `waits/v1/<number>`, that holds the time until which it is in use.
All tenants together have `count` places, so that waiting leaves most of ingest's concurrency to sending; each
tenant may use PLACES_A_TENANT of them, chosen by its id, so that one tenant cannot fill them all
(docs/adr/0026). A place holds nothing of a tenant.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from secrets import token_hex

from msgspec import Struct

from functions.shared.buckets.contract import Bucket, BucketError
from functions.shared.tenancy import TenantId

PLACES_A_TENANT = 5

LEASE_SECONDS = 35
"""Longer than a request lives, whose function ends after 29: a lease never ends under its holder."""

_FREE = b"0 free"


class _WaitPlace(Struct, frozen=True):
    key: str
    lease: bytes


class WaitPlaces:
    """The places of an installation, `count` in all. One that cannot be taken or read is in use."""

    def __init__(self, bucket: Bucket, count: int, clock: Callable[[], float] = time.time) -> None:
        self._bucket = bucket
        self._count = count
        self._clock = clock

    @contextmanager
    def lease(self, tenant: TenantId) -> Iterator[bool]:
        """Whether the tenant has a place, for as long as the block takes."""
        place = self._take(tenant)
        try:
            yield place is not None
        finally:
            if place:
                self._release(place)

    def _take(self, tenant: TenantId) -> _WaitPlace | None:
        numbers = places_of(tenant, self._count)
        random.shuffle(numbers)
        with suppress(BucketError):
            for number in numbers:
                until = round(self._clock() + LEASE_SECONDS)
                place = _WaitPlace(f"waits/v1/{number}", f"{until} {token_hex(8)}".encode())
                if self._acquire(place):
                    return place
        return None

    def _acquire(self, place: _WaitPlace) -> bool:
        """Whether the place was free and is taken now: of several attempts at once, one succeeds."""
        found = self._bucket.get(place.key)
        if found is None:
            return self._bucket.create(place.key, place.lease) is not None
        until, _, _ = bytes(found.body).partition(b" ")
        return int(until) <= self._clock() and self._bucket.replace(place.key, place.lease, found.etag)

    def _release(self, place: _WaitPlace) -> None:
        with suppress(BucketError):
            found = self._bucket.get(place.key)
            if found and bytes(found.body) == place.lease:
                self._bucket.replace(place.key, _FREE, found.etag)


def places_of(tenant: TenantId, count: int) -> list[int]:
    """The numbers of the places, out of `count`, that `tenant` may use."""
    digest = sha256(tenant.encode()).digest()
    chosen = random.Random(digest)  # noqa: S311 - the same for a tenant in every environment
    return chosen.sample(range(count), min(PLACES_A_TENANT, count))
