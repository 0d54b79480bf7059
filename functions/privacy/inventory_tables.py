"""The items of an account in all tables, read and deleted according to the data inventory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from functions.privacy.inventory_entry import ATTRIBUTE, InventoryEntry
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
class ItemPage:
    """Some items; `after` is where the next page begins, None when there is none."""

    items: list[Item]
    after: After | None


class InventoryTables:
    """Reads are consistent. Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    names: table name in the topology -> actual table name.
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, names: Mapping[str, str], client: Any) -> None:
        self._names = names
        self._client = client

    def page(self, inventory_entry: InventoryEntry, tenant: TenantId, after: After | None = None) -> ItemPage:
        """Items of `tenant`, at most 1 MB of them; a page may be empty and not be the last."""
        number, key = after or (0, None)
        questions = _questions(inventory_entry, tenant)
        with answered():
            answer = getattr(self._client, _operation(inventory_entry))(
                TableName=self._names[inventory_entry.table],
                ConsistentRead=True,
                **questions[number],
                **({"ExclusiveStartKey": key} if key else {}),
            )
        if "LastEvaluatedKey" in answer:
            return ItemPage(answer["Items"], (number, answer["LastEvaluatedKey"]))
        return ItemPage(answer["Items"], (number + 1, None) if number + 1 < len(questions) else None)

    def items(self, inventory_entry: InventoryEntry, tenant: TenantId) -> Iterator[Item]:
        """All items of `tenant`, page by page as the caller iterates."""
        after: After | None = None
        while True:
            page = self.page(inventory_entry, tenant, after)
            yield from page.items
            if page.after is None:
                return
            after = page.after

    def keys(self, inventory_entry: InventoryEntry, tenant: TenantId) -> Iterator[Item]:
        """The keys of all items of `tenant`."""
        return (
            {name: item[name] for name in inventory_entry.key} for item in self.items(inventory_entry, tenant)
        )

    def tenants(self, inventory_entry: InventoryEntry) -> Iterator[TenantId]:
        """The tenants with items, by scanning the whole table; some tenants occur several times."""
        name = "tenant_id" if inventory_entry.found == ATTRIBUTE else inventory_entry.key[0]
        items = found(
            self._client.scan,
            TableName=self._names[inventory_entry.table],
            ProjectionExpression="#name",
            ExpressionAttributeNames={"#name": name},
            ConsistentRead=True,
        )
        for item in items:
            # Announcements to all have no tenant's id; the health of a destination has a prefix before it.
            with suppress(PermanentError):
                yield TenantId(item[name]["S"].rpartition(":")[2])

    def remove(self, inventory_entry: InventoryEntry, keys: Sequence[Item]) -> None:
        """Delete the items with these keys; a missing item is not an error."""
        left = iter(keys)
        while some := list(islice(left, REMOVED_A_CALL)):
            table = self._names[inventory_entry.table]
            write_all(self._client, [{"Delete": {"TableName": table, "Key": key}} for key in some])


def _operation(inventory_entry: InventoryEntry) -> str:
    return "scan" if inventory_entry.found == ATTRIBUTE else "query"


def _questions(inventory_entry: InventoryEntry, tenant: TenantId) -> list[Item]:
    """The requests that read everything of `tenant` from the table: one for each of its partitions."""
    if inventory_entry.found == ATTRIBUTE:
        values = {":tenant": {"S": str(tenant)}}
        return [{"FilterExpression": "tenant_id = :tenant", "ExpressionAttributeValues": values}]
    return [
        {
            "KeyConditionExpression": "#partition = :name",
            "ExpressionAttributeNames": {"#partition": inventory_entry.key[0]},
            "ExpressionAttributeValues": {":name": {"S": name}},
        }
        for name in inventory_entry.named(tenant)
    ]
