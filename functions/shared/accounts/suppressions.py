"""Suppressions: addresses that bounced, or whose owners reported our mail as spam, and that get no mail.

Only a digest of the address is stored, for KEEP_DAYS: long enough to stop mailing it, without a list of
people.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Any, Literal

from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.tables.suppressions import SuppressionItem
from functions.shared.tables.table import Table

KEEP_DAYS = 365
SECONDS_A_DAY = 86_400

Reason = Literal["bounce", "complaint"]


class Suppressions:
    """The table of suppressed addresses, keyed by `address`, the digest.

    Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = Table(SuppressionItem, table, client)
        self._clock = clock

    def add(self, address: str, reason: Reason) -> None:
        """Suppress `address`; a repeat restarts its KEEP_DAYS."""
        now = self._clock()
        self._table.put(
            SuppressionItem(
                digest_of(address),
                reason=reason,
                at=timestamp_text(now),
                forget_at=int(now) + KEEP_DAYS * SECONDS_A_DAY,
            )
        )

    def holds(self, address: str) -> bool:
        """Whether `address` is suppressed; strongly consistent."""
        return self.holds_digest(digest_of(address))

    def holds_digest(self, digest: str) -> bool:
        """Like `holds`, for callers that only have the digest made by `digest_of`."""
        item = self._table.get(digest)
        # DynamoDB deletes expired items late, so the expiry date is checked.
        return item is not None and item.forget_at > self._clock()

    def lift(self, address: str) -> None:
        """Remove the suppression of `address`; SES has a separate list, which this does not change."""
        self.lift_digest(digest_of(address))

    def lift_digest(self, digest: str) -> None:
        """Like `lift`, for callers that only have the digest made by `digest_of`."""
        self._table.delete(digest)


def digest_of(address: str) -> str:
    """The digest of an address, ignoring case: mailboxes in practice do."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()
