"""The table of accounts as retention reads it: the retention terms of every account."""

from collections.abc import Iterator
from typing import Any

from functions.retention.limits import AccountRetention
from functions.shared.accounts.retention_terms import terms_of
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

_ASKED_FOR = {
    "ProjectionExpression": "tenant_id, #plan, retention_days, bytes_per_second, retention_steps",
    "ExpressionAttributeNames": {"#plan": "plan"},
}


class AccountsUnavailableError(RetryableError):
    """DynamoDB did not answer, or throttles."""


class AccountScan:
    """Scans the whole table with consistent reads.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table: str, dynamodb: Any = None) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def all(self) -> list[AccountRetention]:
        """Every account that has a plan.

        Raises
        ------
        AccountsUnavailableError
        """
        return [
            AccountRetention(TenantId(item["tenant_id"]["S"]), item["plan"]["S"], terms_of(item))
            for item in self._items()
            if "plan" in item
        ]

    def _items(self) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            page = self._page(start)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _page(self, start: dict[str, Any]) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        return asked(
            lambda: self._dynamodb.scan(TableName=self._table, ConsistentRead=True, **_ASKED_FOR, **start),
            lambda code: AccountsUnavailableError(f"the table of accounts: {code}"),
        )
