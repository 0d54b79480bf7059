"""Which bucket is a BYOC tenant's own, by what is stored in plain text: no credentials are opened for it.

Good enough to ignore what names another bucket, and trusted for nothing else: work in a bucket takes its name
from the sealed destination.
"""

import time
from collections.abc import Callable

from functions.shared.custody.destinations import Summary
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

KEPT_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 5.0
"""After that a name that does not fit is read anew: its owner may just have chosen another bucket."""

MAX_KEPT = 1000


class RecentBucketNames:
    """Names as they were at most KEPT_SECONDS ago; tenants without a destination are remembered, too.

    `summary` is that of functions.shared.custody.destinations.Destinations.
    """

    def __init__(
        self,
        summary: Callable[[TenantId], Summary | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._summary = summary
        self._clock = clock
        self._kept: dict[TenantId, tuple[float, str]] = {}

    def is_bucket_of(self, tenant: TenantId, bucket: str) -> bool:
        """Whether `bucket` is the tenant's own.

        Raises
        ------
        DestinationsUnavailableError
        """
        now = self._clock()
        read_at, name = self._kept.get(tenant, (-KEPT_SECONDS, ""))
        if now - read_at < (KEPT_SECONDS if name == bucket else LOOK_AGAIN_SECONDS):
            return name == bucket
        name = self._name(tenant)
        self._kept.pop(tenant, None)
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[tenant] = (now, name)
        return name == bucket

    def _name(self, tenant: TenantId) -> str:
        """Empty, which no bucket is called, for a tenant that has none."""
        try:
            summary = self._summary(tenant)
        except PermanentError:
            return ""
        return summary.bucket if summary else ""
