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
from functions.shared.tables.accounts import AccountItem
from functions.shared.tables.billing import BillingItem, account_entry
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, open_client, write_all
from functions.shared.tenancy import TenantId

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
        self._client = client or open_client()
        self._billing = Table(BillingItem, billing_table, self._client)
        self._accounts = Table(AccountItem, accounts_table, self._client)
        self._clock = clock

    def request(self, tenant: TenantId, also: Sequence[Write] = ()) -> bool:
        """Request the closing of an account; False when already requested, or there is no such account.

        `also`: further writes of the same transaction.
        """
        now = int(self._clock())
        try:
            write_all(self._client, [self._mark(tenant, now), self._end(tenant, now), *also])
        except ConditionFailedError:
            return False
        return True

    def of(self, tenant: TenantId) -> ClosingProgress | None:
        """The progress of the account's closing; None when it was not requested."""
        item = self._billing.get(account_entry(tenant))
        if item is None or item.closing_requested_at is None:
            return None
        return ClosingProgress(item.closing_requested_at, item.closed_at)

    def state(self, tenant: TenantId) -> State:
        """Whether billing has closed the account; "unknown" when billing has no record of it."""
        item = self._billing.get(account_entry(tenant))
        if item is None:
            return "unknown"
        return "open" if item.closed_at is None else "closed"

    def _mark(self, tenant: TenantId, now: int) -> Write:
        return self._billing.write_of_update(
            account_entry(tenant),
            BillingItem.tenant_id.set(str(tenant)),
            BillingItem.closing_requested_at.set(now),
            BillingItem.version.add(1),
            condition=BillingItem.closing_requested_at.does_not_exist(),
        )

    def _end(self, tenant: TenantId, now: int) -> Write:
        """The status of a closing account, as billing writes it; caps and debts end."""
        return self._accounts.write_of_update(
            str(tenant),
            AccountItem.accepts_until.set(now),
            AccountItem.end_reason.set(ACCOUNT_CLOSING),
            AccountItem.capped_until.set_or_null(None),
            AccountItem.cap_left_bytes.set_or_null(None),
            AccountItem.cap_left_until.set_or_null(None),
            condition=AccountItem.tenant_id.exists(),
        )
