"""How much a tenant may send: a token bucket each, in this execution environment.

Every admitted request is charged for the work it caused, whatever its end: for the bytes it decoded to, the
bytes it staged or the CPU time it took, whichever is the most. So a body that is cheap to send and expensive
to judge is paid for, also when it is rejected.

An environment handles one request at a time, so a bucket here bounds what one tenant can take of it; the
tenant's total is that times the environments it reaches (docs/adr/0006, docs/adr/0026).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from functions.shared.access import Principal
from functions.shared.errors import HttpError

BURST_SECONDS = 2
MAX_TENANTS = 10_000

BYTES_PER_CPU_SECOND = 32 * 1024 * 1024
"""The price of CPU time. Ordinary bodies take a third of that, so that their bytes are what counts."""

FREE_CPU_SECONDS = 0.005
"""What any request takes, however small, and does not depend on its body."""

MAX_CPU_SHARE = 0.5
"""The share of an environment's time, for a plan with a rate at which the price alone would allow more."""


class RequestWork(Struct):
    """What a request has caused so far."""

    decoded_bytes: int = 0
    staged_bytes: int = 0

    def counting(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces, their bytes counted while they pass."""
        for piece in pieces:
            self.decoded_bytes += len(piece)
            yield piece

    def price_bytes(self, cpu_seconds: float, bytes_per_second: int) -> float:
        """What it costs a tenant of that rate."""
        price = max(BYTES_PER_CPU_SECOND, bytes_per_second / MAX_CPU_SHARE)
        return max(self.decoded_bytes, self.staged_bytes, (cpu_seconds - FREE_CPU_SECONDS) * price)


class _Bucket(Struct):
    level_bytes: float
    filled_at: float


class RateLimit:
    """Each principal's `bytes_per_second`, with bursts of BURST_SECONDS of it."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, cpu_clock: Callable[[], float] = time.process_time
    ) -> None:
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._buckets: dict[str, _Bucket] = {}

    @contextmanager
    def charging(self, caller: Principal, work: RequestWork) -> Iterator[None]:
        """Admit a request and charge its tenant for what it does in this block, whether or not it raises.

        Raises
        ------
        HttpError: 429.
        """
        self.admit(caller)
        began = self._cpu_clock()
        try:
            yield
        finally:
            self.charge(caller, work.price_bytes(self._cpu_clock() - began, caller.bytes_per_second))

    def admit(self, caller: Principal) -> None:
        """Let a request through unless its tenant's bucket is in debt.

        Raises
        ------
        HttpError: 429.
        """
        if self._refilled(caller).level_bytes <= 0:
            raise HttpError(429, "backpressure_saturated", "server saturated", retry_after_seconds=1)

    def charge(self, caller: Principal, size_bytes: float) -> None:
        """Take the price of a request out of the bucket; a large one leaves it in debt."""
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
