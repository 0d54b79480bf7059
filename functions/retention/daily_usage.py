"""What each tenant used on a day, from the table that the meter writes."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from functions.retention.anonymous import TenantUsage
from functions.retention.limits import AccountRetention
from functions.shared.aws_client import asked, client
from functions.shared.batch_usage import DAY
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

READS_A_CALL = 100
MAX_CALLS = 8
"""For one hundred keys: DynamoDB leaves out keys for which it has no capacity at the time."""


class UsageUnavailableError(RetryableError):
    """DynamoDB did not answer, or throttles."""


class DailyUsageReader:
    """The table `usage`.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table: str, dynamodb: Any = None) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def of(self, accounts: Sequence[AccountRetention], day: date) -> list[TenantUsage]:
        """What each of `accounts` stored of the logs received on `day`; only accounts that stored any.

        Raises
        ------
        UsageUnavailableError
        """
        plans = {each.tenant: each.plan for each in accounts}
        keys = [_key(tenant, day) for tenant in plans]
        some = (keys[at : at + READS_A_CALL] for at in range(0, len(keys), READS_A_CALL))
        found = (item for part in some for item in self._items(part))
        return [_tenant_usage(item, plans) for item in found]

    def _items(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for _ in range(MAX_CALLS):
            page = self._read(keys)
            yield from page["Responses"].get(self._table, ())
            keys = page.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return
        raise UsageUnavailableError("the table of usage: DynamoDB left out items after every retry")

    def _read(self, keys: Iterable[dict[str, Any]]) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        wanted = {self._table: {"Keys": list(keys)}}
        return asked(
            lambda: self._dynamodb.batch_get_item(RequestItems=wanted),
            lambda code: UsageUnavailableError(f"the table of usage: {code}"),
        )


def _key(tenant: TenantId, day: date) -> dict[str, Any]:
    return {"tenant_id": {"S": str(tenant)}, "entry": {"S": f"{DAY}{day.isoformat()}"}}


def _tenant_usage(item: dict[str, Any], plans: dict[TenantId, str]) -> TenantUsage:
    tenant = TenantId(item["tenant_id"]["S"])
    return TenantUsage(tenant, plans[tenant], int(item["rows"]["N"]), int(item["bytes"]["N"]))
