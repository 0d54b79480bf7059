"""Limits requests with unknown API keys and made-up refresh tokens, by network address.

Guessing a key of 166 random bits is hopeless; this limits the cost of attempts. Only requests with a bad key
are ever rejected by it: one customer's mistake must not block others behind the same address. Malformed and
unknown keys count. Expired keys do not: they were issued once, and their holders must continue to get the
answer that the key has expired.
"""

import hashlib
import time
from typing import Protocol

from functions.accounts.network import network as network_of
from functions.shared.tables.store_errors import StoreUnavailableError

WINDOW_SECONDS = 300
MOST = 100
MAX_ADDRESSES = 10_000
PAUSE_SECONDS = 10
"""How long to count in memory only after DynamoDB did not answer, so that not every request waits for it."""


class SharedCounter(Protocol):
    """Counters in the table of attempts, which all execution environments share."""

    def add(self, counter: str, forget_at: int) -> int:
        """Add one to `counter`, a digest, and return the sum; it is deleted after `forget_at`.

        Raises StoreUnavailableError when DynamoDB does not answer within a third of a second.
        """
        ...


class FailureLimiter:
    """Counts in memory and in the table of attempts, which all execution environments share.

    At most one write per failure, and none once an address is known to be over the limit. Windows have a
    fixed length: around their border twice as many failures may pass. Never raises.

    Parameters
    ----------
    what: kind of failure; each kind has its own counters.
    """

    def __init__(self, counters: SharedCounter, *, what: str = "key") -> None:
        self._what = what
        self._counters = counters
        self._window = 0
        self._counts: dict[str, int] = {}
        self._paused_until = float("-inf")

    def count_failure(self, address: str, now: float) -> bool:
        """Count one failure from `address`; returns whether there are more than MOST in this window."""
        self._turn(int(now) // WINDOW_SECONDS)
        network = network_of(address)
        count = self._counts.get(network, 0)
        if count <= MOST:
            count = self._counts[network] = max(count + 1, self._count_with_others(network))
        return count > MOST

    def seconds_left(self, now: float) -> int:
        """Seconds until the window ends."""
        return WINDOW_SECONDS - int(now) % WINDOW_SECONDS

    def _turn(self, window: int) -> None:
        if window != self._window or len(self._counts) >= MAX_ADDRESSES:
            self._window, self._counts = window, {}

    def _count_with_others(self, network: str) -> int:
        """The count of all execution environments, or 0 when it cannot be read."""
        if time.monotonic() < self._paused_until:
            return 0
        try:
            return self._add(network)
        except StoreUnavailableError:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            return 0

    def _add(self, network: str) -> int:
        ends_at = (self._window + 1) * WINDOW_SECONDS
        counter = hashlib.sha256(f"{self._what}|address|{network}|{self._window}".encode()).hexdigest()
        return self._counters.add(counter, ends_at)
