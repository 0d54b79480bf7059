"""What each tenant used on a day, from the table that the meter writes."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from functions.retention.anonymous import Used
from functions.retention.limits import Account
from functions.shared.tables.table import Table
from functions.shared.tables.usage import UsageItem
from functions.shared.tenancy import TenantId
from functions.shared.usage import DAY


class UsageDays:
    """The table `usage`.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table: str, dynamodb: Any = None) -> None:
        self._table = Table(UsageItem, table, dynamodb)

    def of(self, accounts: Sequence[Account], day: date) -> list[Used]:
        """What each of `accounts` stored of the logs received on `day`; only accounts that stored any.

        Raises
        ------
        StoreUnavailableError
        """
        plans = {each.tenant: each.plan for each in accounts}
        keys = [(str(tenant), f"{DAY}{day.isoformat()}") for tenant in plans]
        return [_used(item, plans) for item in self._table.read(keys, consistent=False)]


def _used(item: UsageItem, plans: dict[TenantId, str]) -> Used:
    tenant = TenantId(item.tenant_id)
    return Used(tenant, plans[tenant], item.rows, item.raw_bytes)
