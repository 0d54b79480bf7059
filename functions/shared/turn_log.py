"""The table of turns: when a scheduled function last started to work for a tenant.

One item per function and tenant, under a hash of both: it names no account, and is deleted FORGET_DAYS after
the last turn. A tenant without an item counts as one that never had a turn.
"""

import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from functions.shared.dynamo.answers import answered
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

FORGET_DAYS = 7
SECONDS_A_DAY = 86_400
READS_A_CALL = 100
READ_TRIES = 8

Item = dict[str, Any]


class TurnsUnreadError(RetryableError):
    """DynamoDB keeps leaving keys unprocessed: it lacks capacity at the moment."""


class DynamoTurnLog:
    """The functions.shared.turns.TurnLog of the function `function`; thread-safe.

    Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    clock: Unix seconds.
    """

    def __init__(
        self, table: str, function: str, client: Any, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._function = function
        self._client = client
        self._clock = clock

    def last(self, tenants: Iterable[TenantId]) -> dict[TenantId, float]:
        """See TurnLog; also raises TurnsUnreadError."""
        names = {self._name(tenant): tenant for tenant in tenants}
        found: dict[TenantId, float] = {}
        keys = list(names)
        for start in range(0, len(keys), READS_A_CALL):
            for item in self._items(keys[start : start + READS_A_CALL]):
                found[names[item["turn"]["S"]]] = float(item["began_at"]["N"])
        return found

    def begin(self, tenant: TenantId) -> int:
        now = self._clock()
        with answered():
            changed = self._client.update_item(
                TableName=self._table,
                Key={"turn": {"S": self._name(tenant)}},
                UpdateExpression="SET began_at = :now, forget_at = :end ADD turns :one",
                ExpressionAttributeValues={**_times(now), ":one": {"N": "1"}},
                ReturnValues="UPDATED_NEW",
            )
        return int(changed["Attributes"]["turns"]["N"])

    def number(self, tenant: TenantId) -> int:
        """The number of turns of `tenant` that have begun; pass it to `next`."""
        (found,) = self._items([self._name(tenant)]) or [{"turns": {"N": "0"}}]
        return int(found["turns"]["N"])

    def next(self, tenant: TenantId, number: int) -> Item:
        """The turn that follows turn `number`, as an item of TransactWriteItems.

        Its condition fails when another turn of `tenant` began after `number` was read: then the caller
        has to read and decide again.
        """
        now = self._clock()
        condition = "turns = :number" if number else "attribute_not_exists(turns)"
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"turn": {"S": self._name(tenant)}},
                "UpdateExpression": "SET began_at = :now, forget_at = :end, turns = :next",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {
                    **_times(now),
                    ":next": {"N": str(number + 1)},
                    **({":number": {"N": str(number)}} if number else {}),
                },
            }
        }

    def _items(self, names: list[str]) -> list[Item]:
        keys: list[Item] = [{"turn": {"S": name}} for name in names]
        items: list[Item] = []
        for _ in range(READ_TRIES):
            asked = {self._table: {"Keys": keys, "ConsistentRead": True}}
            with answered():
                answer = self._client.batch_get_item(RequestItems=asked)
            items += answer["Responses"].get(self._table, [])
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return items
        raise TurnsUnreadError("DynamoDB leaves turns unread")

    def _name(self, tenant: TenantId) -> str:
        return sha256(f"turn {self._function} {tenant}".encode()).hexdigest()


def _times(now: float) -> Item:
    return {
        ":now": {"N": f"{now:.3f}"},
        ":end": {"N": str(int(now) + FORGET_DAYS * SECONDS_A_DAY)},
    }
