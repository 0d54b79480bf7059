"""The table of accounts as retention reads it: the retention terms of every account."""

from typing import Any

from functions.retention.limits import AccountRetention
from functions.shared.tables.accounts import AccountItem, terms_of
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId

_ATTRIBUTES = ("tenant_id", "plan", "retention_days", "bytes_per_second", "retention_steps")


class AccountScan:
    """Scans the whole table with consistent reads.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table: str, dynamodb: Any = None) -> None:
        self._table = Table(AccountItem, table, dynamodb)

    def all(self) -> list[AccountRetention]:
        """Every account that has a plan.

        Raises
        ------
        StoreUnavailableError
        """
        return [
            AccountRetention(TenantId(item.tenant_id), item.plan, terms_of(item))
            for item in self._table.scan(attributes=_ATTRIBUTES)
            if item.plan is not None
        ]
