"""Number of rows that erasures deleted from our warehouse, from the records of functions/privacy/erasure."""

import json
import math
from datetime import UTC, date, datetime
from typing import Any

from functions.shared.dynamo.answers import answered, open_client
from functions.shared.tenancy import TenantId

ACCOUNT, ROWS = "account", "rows"

Item = dict[str, Any]


class ErasedRows:
    """Reads the table of erasures; raises functions.shared.dynamo.answers.StoreUnavailableError."""

    def __init__(self, erasures_table: str, client: Any = None) -> None:
        self._table = erasures_table
        self._client = client or open_client()

    def since(self, tenant: TenantId, first: date) -> float:
        """An upper bound of the tenant's erased rows that were received on `first` or later.

        An erasure deletes rows received before it was requested, so erasures requested before `first` do not
        count. An erasure of the whole account may have deleted any number: math.inf.
        """
        begin = datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()
        rows = 0.0
        for item in self._items(tenant):
            if item["kind"]["S"] == ACCOUNT:
                return math.inf
            if int(item["requested_at"]["N"]) >= begin:
                rows += _rows(item)
        return rows

    def _items(self, tenant: TenantId) -> list[Item]:
        items: list[Item] = []
        start: Item = {}
        while True:
            with answered():
                page = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="tenant_id = :tenant",
                    ExpressionAttributeValues={":tenant": {"S": str(tenant)}},
                    ConsistentRead=True,
                    **start,
                )
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _rows(item: Item) -> int:
    """The rows that a verified erasure deleted, or that an open one has deleted or will delete."""
    if "counts" in item:
        return int(json.loads(item["counts"]["S"]).get(ROWS, 0))
    progress = json.loads(item["progress"]["S"]) if "progress" in item else {}
    return sum(int(progress.get(part, {}).get(ROWS, 0)) for part in ("removed", "pending"))
