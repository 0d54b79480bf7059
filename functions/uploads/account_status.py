"""Account status of the accounts whose files are read: plan, whether logs are accepted, and retention."""

from dataclasses import replace
from typing import Any

from functions.shared.accounts.account_status import ACCOUNT_CLOSING, AccountStatus
from functions.shared.tables.accounts import AccountItem, account_status_of
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId


class AccountStatuses:
    """Reads the table of accounts; raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, table: str, client: Any = None) -> None:
        self._table = Table(AccountItem, table, client)

    def of(self, tenant: TenantId) -> AccountStatus | None:
        """The status of `tenant`; None when there is no such account."""
        item = self._table.get(str(tenant))
        return _standing(item) if item else None


def _standing(item: AccountItem) -> AccountStatus:
    """The status in `item`; an account rejects files from the moment that its erasure is requested."""
    account_status = account_status_of(item)
    if item.closes_at is None:
        return account_status
    return replace(account_status, accepts_until=0, end_reason=ACCOUNT_CLOSING)
