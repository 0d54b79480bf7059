"""Processed Stripe events, in DynamoDB: marked only after all effects were written.

An unmarked event may have been processed by a run that died before the mark; processing it again has the same
result. Stripe redelivers an event for three days, and by hand for thirty.
"""

import time
from collections.abc import Callable
from typing import Any

from functions.shared.tables.stripe_events import StripeEventItem
from functions.shared.tables.table import Table

KEEP_DAYS = 45
SECONDS_A_DAY = 86_400


class ProcessedEvents:
    """The table of events: partition key `event_id`. Raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = Table(StripeEventItem, table, client)
        self._clock = clock

    def done(self, event_id: str) -> bool:
        """Whether the event was processed before."""
        found = self._table.get(event_id)
        # Check the date as well: DynamoDB TTL deletes late.
        return found is not None and found.forget_at > self._clock()

    def mark(self, event_id: str) -> None:
        """Mark the event as processed."""
        now = int(self._clock())
        forget_at = now + KEEP_DAYS * SECONDS_A_DAY
        self._table.put(StripeEventItem(event_id, done_at=now, forget_at=forget_at))
