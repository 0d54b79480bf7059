"""The bucket name of a BYOC tenant, read from stored plain text without decrypting credentials.

Use it only to ignore notifications about other buckets. It is not trusted for anything else: work in a bucket
takes the name from the encrypted destination.
"""

import time
from collections.abc import Callable

from functions.shared.byoc.destination_store import DestinationSummary
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

KEPT_SECONDS = 60.0
READ_AGAIN_SECONDS = 5.0
"""After this time a mismatch is read again: the customer may just have chosen another bucket."""

MAX_KEPT = 1000


class BucketNameCache:
    """Bucket names, cached for KEPT_SECONDS, including tenants without a destination.

    `summary` is that of functions.shared.byoc.destination_store.DestinationStore.
    """

    def __init__(
        self,
        summary: Callable[[TenantId], DestinationSummary | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._summary = summary
        self._clock = clock
        self._kept: dict[TenantId, tuple[float, str]] = {}

    def is_bucket_of(self, tenant: TenantId, bucket: str) -> bool:
        """Whether `bucket` is the tenant's bucket.

        Raises
        ------
        StoreUnavailableError
        """
        now = self._clock()
        read_at, name = self._kept.get(tenant, (-KEPT_SECONDS, ""))
        if now - read_at < (KEPT_SECONDS if name == bucket else READ_AGAIN_SECONDS):
            return name == bucket
        name = self._name(tenant)
        self._kept.pop(tenant, None)
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[tenant] = (now, name)
        return name == bucket

    def _name(self, tenant: TenantId) -> str:
        """The bucket name; empty, which no bucket name is, for a tenant without a destination."""
        try:
            summary = self._summary(tenant)
        except PermanentError:
            return ""
        return summary.bucket if summary else ""
