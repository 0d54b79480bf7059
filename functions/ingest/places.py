"""Where requests with `?wait=true` wait, as the handler sees it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from functions.shared.buckets.contract import Bucket
from functions.shared.tenancy import TenantId

Places = Callable[[TenantId], AbstractContextManager[bool]]
"""Whether a tenant has a place, for as long as the block takes."""


def no_place(_tenant: TenantId) -> AbstractContextManager[bool]:
    """Nothing waits here."""
    return nullcontext(False)


def places_in(bucket: Bucket, count: int) -> Places:
    """The `count` places of an installation (functions.ingest.wait_places)."""

    def lease(tenant: TenantId) -> AbstractContextManager[bool]:
        from functions.ingest.wait_places import WaitPlaces  # few requests wait

        return WaitPlaces(bucket, count).lease(tenant)

    return lease
