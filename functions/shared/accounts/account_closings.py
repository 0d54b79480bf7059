"""Closing an account: requested once, then completed by billing before any data is erased.

From the request on, logs are rejected. Billing (functions/billing/closer.py) reports the last usage, ends the
subscription, deletes the customer in Stripe and records that it is done. The erasure of the account's data
waits for that record, because an erased account can no longer be billed or its subscription ended.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from functions.shared.accounts.account_status import ACCOUNT_CLOSING
from functions.shared.dynamo.answers import answered, open_client
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.tenancy import TenantId

Item = dict[str, Any]

State = Literal["unknown", "open", "closed"]


@dataclass(frozen=True, slots=True)
class ClosingProgress:
    """The progress of a closing, in Unix seconds. `closed_at`: Stripe no longer has the customer."""

    requested_at: int
    closed_at: int | None


class AccountClosings:
    """Closings, in the tables `billing` and `accounts`. Raises StoreUnavailableError when DynamoDB fails."""

    def __init__(
        self,
        billing_table: str,
        accounts_table: str,
        client: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._billing_table = billing_table
        self._accounts_table = accounts_table
        self._client = client or open_client()
        self._clock = clock

    def request(self, tenant: TenantId, also: Sequence[Item] = ()) -> bool:
        """Request the closing of an account; False when already requested, or there is no such account.

        `also`: items of TransactWriteItems written in the same transaction.
        """
        now = {"N": str(int(self._clock()))}
        try:
            write_all(self._client, [self._mark(tenant, now), self._end(tenant, now), *also])
        except UnmetError:
            return False
        return True

    def of(self, tenant: TenantId) -> ClosingProgress | None:
        """The progress of the account's closing; None when it was not requested."""
        item = self._item(tenant) or {}
        if "closing_requested_at" not in item:
            return None
        closed_at = int(item["closed_at"]["N"]) if "closed_at" in item else None
        return ClosingProgress(int(item["closing_requested_at"]["N"]), closed_at)

    def state(self, tenant: TenantId) -> State:
        """Whether billing has closed the account; "unknown" when billing has no record of it."""
        item = self._item(tenant)
        if item is None:
            return "unknown"
        return "closed" if "closed_at" in item else "open"

    def _item(self, tenant: TenantId) -> Item | None:
        with answered():
            found = self._client.get_item(
                TableName=self._billing_table, Key=_key(tenant), ConsistentRead=True
            )
        item: Item | None = found.get("Item")
        return item

    def _mark(self, tenant: TenantId, now: Item) -> Item:
        return {
            "Update": {
                "TableName": self._billing_table,
                "Key": _key(tenant),
                "UpdateExpression": "SET tenant_id = :tenant, closing_requested_at = :now ADD version :one",
                "ConditionExpression": "attribute_not_exists(closing_requested_at)",
                "ExpressionAttributeValues": {
                    ":tenant": {"S": str(tenant)},
                    ":now": now,
                    ":one": {"N": "1"},
                },
            }
        }

    def _end(self, tenant: TenantId, now: Item) -> Item:
        """The status of a closing account, as in functions.billing.subscriptions.entitlements; caps and debts end."""
        return {
            "Update": {
                "TableName": self._accounts_table,
                "Key": {"tenant_id": {"S": str(tenant)}},
                "UpdateExpression": "SET accepts_until = :now, end_reason = :reason, capped_until = :none, "
                "cap_left_bytes = :none, cap_left_until = :none",
                "ConditionExpression": "attribute_exists(tenant_id)",
                "ExpressionAttributeValues": {
                    ":now": now,
                    ":reason": {"S": ACCOUNT_CLOSING},
                    ":none": {"NULL": True},
                },
            }
        }


def _key(tenant: TenantId) -> Item:
    return {"entry": {"S": f"account#{tenant}"}}
