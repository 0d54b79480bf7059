"""Times up to which rows read are paid for, without pynamodb: the first search waits for its import.

The table's model is functions.shared.tables.search_budgets; tests/unit/query/test_row_budget.py reads by it
what is written here.
"""

from collections.abc import Callable, Iterable
from typing import Any

from functions.shared.tables.direct_client import DirectClient
from functions.shared.tables.store_errors import ConditionFailedError, StoreUnavailableError
from functions.shared.tenancy import TenantId

FORGET_SECONDS = 86_400

_ROUNDS = 3
"""Both conditions of a charge fail only when the clock passes `paid_ms` between them."""

_READ_ROUNDS = 3
"""How often items are read that DynamoDB left out because it lacked capacity."""


class BudgetItems:
    """The items of all accounts; `now_ms`: Unix milliseconds. Raises StoreUnavailableError."""

    def __init__(self, table: str, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._client = DirectClient()
        self._now_ms = now_ms

    def paid(self, tenant: TenantId, entries: Iterable[str]) -> dict[str, int]:
        """By entry, when its rows are paid for, in Unix milliseconds; of those that exist."""
        found: dict[str, int] = {}
        keys = [_key(tenant, entry) for entry in entries]
        unread: dict[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for _ in range(_READ_ROUNDS):
            answer = self._client.batch_get_item(RequestItems=unread)
            items = answer["Responses"].get(self._table, ())
            found |= {each["entry"]["S"]: int(each["paid_ms"]["N"]) for each in items}
            unread = answer.get("UnprocessedKeys", {})
            if not unread:
                return found
        raise StoreUnavailableError("DynamoDB: it left items unread too often")

    def add(self, tenant: TenantId, entry: str, price_ms: int) -> None:
        """Charge `price_ms`: from now on, or in addition to earlier rows that are not paid for."""
        key = _key(tenant, entry)
        for _ in range(_ROUNDS):
            if self._begin(key, price_ms) or self._continue(key, price_ms):
                return

    def _begin(self, key: dict[str, Any], price_ms: int) -> bool:
        """Charge from now on; False while earlier rows are not paid for."""
        over = "attribute_not_exists(paid_ms) OR paid_ms <= :now"
        return self._updated(key, ":now + :price", over, price_ms)

    def _continue(self, key: dict[str, Any], price_ms: int) -> bool:
        """Charge in addition to earlier rows; False when all of them are paid for."""
        return self._updated(key, "paid_ms + :price", "paid_ms > :now", price_ms)

    def _updated(self, key: dict[str, Any], paid_ms: str, condition: str, price_ms: int) -> bool:
        """Set `paid_ms` to an expression of DynamoDB's; whether the condition held."""
        now_ms = self._now_ms()
        values = {
            ":now": now_ms,
            ":price": price_ms,
            ":forget": (now_ms + price_ms) // 1000 + FORGET_SECONDS,
        }
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=f"SET paid_ms = {paid_ms}, forget_at = :forget",
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"N": str(value)} for name, value in values.items()},
            )
        except ConditionFailedError:
            return False
        return True


def _key(tenant: TenantId, entry: str) -> dict[str, Any]:
    return {"tenant_id": {"S": str(tenant)}, "entry": {"S": entry}}
