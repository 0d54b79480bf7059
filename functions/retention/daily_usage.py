"""What each tenant used on a day, from the table that the meter writes."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from functions.retention.anonymous import TenantUsage
from functions.retention.limits import AccountRetention
from functions.shared.batch_usage import DAY
from functions.shared.tables.table import Table
from functions.shared.tables.usage import UsageItem
from functions.shared.tenancy import TenantId


class DailyUsageReader:
    """The table `usage`.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table: str, dynamodb: Any = None) -> None:
        self._table = Table(UsageItem, table, dynamodb)

    def of(self, accounts: Sequence[AccountRetention], day: date) -> list[TenantUsage]:
        """What each of `accounts` stored of the logs received on `day`; only accounts that stored any.

        Raises
        ------
        StoreUnavailableError
        """
        plans = {each.tenant: each.plan for each in accounts}
        keys = [(str(tenant), f"{DAY}{day.isoformat()}") for tenant in plans]
        return [_tenant_usage(item, plans) for item in self._table.read(keys, consistent=False)]


def _tenant_usage(item: UsageItem, plans: dict[TenantId, str]) -> TenantUsage:
    tenant = TenantId(item.tenant_id)
    return TenantUsage(tenant, plans[tenant], item.rows, item.raw_bytes)
