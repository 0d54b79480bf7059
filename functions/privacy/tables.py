"""The items of an account in all tables, read and deleted according to the data inventory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from functions.privacy.holding import ATTRIBUTE, Holding
from functions.privacy.paging import found
from functions.shared.dynamo.answers import answered
from functions.shared.dynamo.transaction import write_all
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

REMOVED_A_CALL = 100

Item = dict[str, Any]

After = tuple[int, Item | None]
"""Where a page begins: in which of the inventory entry's partitions, after which key; None for its start."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some items; `after` is where the next page begins, None when there is none."""

    items: list[Item]
    after: After | None


class Tables:
    """Reads are consistent. Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    names: table name in the topology -> actual table name.
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, names: Mapping[str, str], client: Any) -> None:
        self._names = names
        self._client = client

    def page(self, holding: Holding, tenant: TenantId, after: After | None = None) -> Page:
        """Items of `tenant`, at most 1 MB of them; a page may be empty and not be the last."""
        number, key = after or (0, None)
        questions = _questions(holding, tenant)
        with answered():
            answer = getattr(self._client, _operation(holding))(
                TableName=self._names[holding.table],
                ConsistentRead=True,
                **questions[number],
                **({"ExclusiveStartKey": key} if key else {}),
            )
        if "LastEvaluatedKey" in answer:
            return Page(answer["Items"], (number, answer["LastEvaluatedKey"]))
        return Page(answer["Items"], (number + 1, None) if number + 1 < len(questions) else None)

    def items(self, holding: Holding, tenant: TenantId) -> Iterator[Item]:
        """All items of `tenant`, page by page as the caller iterates."""
        after: After | None = None
        while True:
            page = self.page(holding, tenant, after)
            yield from page.items
            if page.after is None:
                return
            after = page.after

    def keys(self, holding: Holding, tenant: TenantId) -> Iterator[Item]:
        """The keys of all items of `tenant`."""
        return ({name: item[name] for name in holding.key} for item in self.items(holding, tenant))

    def tenants(self, holding: Holding) -> Iterator[TenantId]:
        """The tenants with items, by scanning the whole table; some tenants occur several times."""
        name = "tenant_id" if holding.found == ATTRIBUTE else holding.key[0]
        items = found(
            self._client.scan,
            TableName=self._names[holding.table],
            ProjectionExpression="#name",
            ExpressionAttributeNames={"#name": name},
            ConsistentRead=True,
        )
        for item in items:
            # Announcements to all have no tenant's id; the health of a destination has a prefix before it.
            with suppress(PermanentError):
                yield TenantId(item[name]["S"].rpartition(":")[2])

    def remove(self, holding: Holding, keys: Sequence[Item]) -> None:
        """Delete the items with these keys; a missing item is not an error."""
        left = iter(keys)
        while some := list(islice(left, REMOVED_A_CALL)):
            table = self._names[holding.table]
            write_all(self._client, [{"Delete": {"TableName": table, "Key": key}} for key in some])


def _operation(holding: Holding) -> str:
    return "scan" if holding.found == ATTRIBUTE else "query"


def _questions(holding: Holding, tenant: TenantId) -> list[Item]:
    """The requests that read everything of `tenant` from the table: one for each of its partitions."""
    if holding.found == ATTRIBUTE:
        values = {":tenant": {"S": str(tenant)}}
        return [{"FilterExpression": "tenant_id = :tenant", "ExpressionAttributeValues": values}]
    return [
        {
            "KeyConditionExpression": "#partition = :name",
            "ExpressionAttributeNames": {"#partition": holding.key[0]},
            "ExpressionAttributeValues": {":name": {"S": name}},
        }
        for name in holding.named(tenant)
    ]
