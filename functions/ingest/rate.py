"""How much a tenant may send: a token bucket each, in this execution environment.

An environment handles one request at a time, so a bucket here bounds what one tenant can take of it; the
tenant's total is that times the environments it reaches (docs/adr/0006).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from functions.shared.access import Principal
from functions.shared.errors import RefusalError

BURST_SECONDS = 2
MAX_TENANTS = 10_000


@dataclass(slots=True)
class _Bucket:
    level_bytes: float
    filled_at: float


class RateLimit:
    """Each principal's `bytes_per_second` of staged rows, with bursts of BURST_SECONDS of it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, caller: Principal) -> None:
        """Let a request through unless its tenant's bucket is in debt.

        Raises
        ------
        RefusalError: 429.
        """
        if self._refilled(caller).level_bytes <= 0:
            raise RefusalError(429, "backpressure_saturated", "server saturated", retry_after_seconds=1)

    def charge(self, caller: Principal, size_bytes: int) -> None:
        """Take what a request brought out of the bucket; a large one leaves it in debt."""
        self._refilled(caller).level_bytes -= size_bytes

    def _refilled(self, caller: Principal) -> _Bucket:
        now = self._clock()
        full = float(caller.bytes_per_second * BURST_SECONDS)
        bucket = self._buckets.get(caller.tenant)
        if bucket is None:
            if len(self._buckets) >= MAX_TENANTS:
                self._buckets.clear()
            bucket = self._buckets[caller.tenant] = _Bucket(full, now)
        earned = (now - bucket.filled_at) * caller.bytes_per_second
        bucket.level_bytes = min(full, bucket.level_bytes + earned)
        bucket.filled_at = now
        return bucket
