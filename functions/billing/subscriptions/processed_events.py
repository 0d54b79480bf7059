"""Processed Stripe events, in DynamoDB: marked only after all effects were written.

An unmarked event may have been processed by a run that died before the mark; processing it again has the same
result. Stripe redelivers an event for three days, and by hand for thirty.
"""

import time
from collections.abc import Callable
from typing import Any

from functions.shared.dynamo.answers import answered, open_client

KEEP_DAYS = 45
SECONDS_A_DAY = 86_400


class ProcessedEvents:
    """The table of events: partition key `event_id`. Raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._client = client or open_client()
        self._clock = clock

    def done(self, event_id: str) -> bool:
        """Whether the event was processed before."""
        with answered():
            found = self._client.get_item(TableName=self._table, Key=_key(event_id), ConsistentRead=True)
        # Check the date as well: DynamoDB TTL deletes late.
        return "Item" in found and int(found["Item"]["forget_at"]["N"]) > self._clock()

    def mark(self, event_id: str) -> None:
        """Mark the event as processed."""
        now = int(self._clock())
        item = {
            **_key(event_id),
            "done_at": {"N": str(now)},
            "forget_at": {"N": str(now + KEEP_DAYS * SECONDS_A_DAY)},
        }
        with answered():
            self._client.put_item(TableName=self._table, Item=item)


def _key(event_id: str) -> dict[str, Any]:
    return {"event_id": {"S": event_id}}
