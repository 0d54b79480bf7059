"""An account's keys in DynamoDB: reads, and the writes that make up a transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from functions.accounts.key_item import Key, key_item, key_of, list_item, list_key
from functions.shared.dynamo.answers import StoreUnavailableError, answered
from functions.shared.tenancy import TenantId

REVISION = "!revision"
"""Sort key of the revision among the list's entries: no key id begins with `!`."""

READS_A_CALL = 100
_ROUNDS = 20

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of the account with its hash, as of the list's `revision`."""

    key_hash: str
    key: Key
    revision: int


class KeyStore:
    """Reads are strongly consistent and read the revision first: `step` detects any later change.

    Every read raises StoreUnavailableError when DynamoDB fails.
    """

    def __init__(self, keys_table: str, key_lists_table: str, client: Any) -> None:
        self._keys_table = keys_table
        self._key_lists_table = key_lists_table
        self._client = client

    def all(self, tenant: TenantId, now: float) -> tuple[int, list[Key]]:
        """The list's revision, and all keys that are not past their retention."""
        revision, hashes = self._listed(tenant)
        return revision, self._keys(tenant, hashes, now)

    def stored(self, tenant: TenantId, key_id: str, now: float) -> StoredKey | None:
        """The key of that id, or None.

        The look-up is in the tenant's own list: another tenant's key and a key that never existed cost the
        same single read.
        """
        names = [list_key(tenant, key_id), list_key(tenant, REVISION)]
        items = {item["key_id"]["S"]: item for item in self._read(self._key_lists_table, names)}
        if key_id not in items:
            return None
        key_hash = items[key_id]["key_hash"]["S"]
        found = self._keys(tenant, [key_hash], now)
        return StoredKey(key_hash, found[0], _revision(items.get(REVISION))) if found else None

    def step(self, tenant: TenantId, revision: int) -> Item:
        """The write that increments the list's revision, on condition that it still is `revision`."""
        update = {
            "TableName": self._key_lists_table,
            "Key": list_key(tenant, REVISION),
            "UpdateExpression": "SET revision = :next",
            "ConditionExpression": "attribute_not_exists(revision)",
            "ExpressionAttributeValues": {":next": {"N": str(revision + 1)}},
        }
        if revision:
            update["ConditionExpression"] = "revision = :now"
            update["ExpressionAttributeValues"] = {
                ":next": {"N": str(revision + 1)},
                ":now": {"N": str(revision)},
            }
        return {"Update": update}

    def added(self, key_hash: str, key: Key) -> list[Item]:
        """The writes of a new key."""
        return [
            _put(self._keys_table, key_item(key_hash, key), "key_hash"),
            _put(self._key_lists_table, list_item(key_hash, key), "key_id"),
        ]

    def changed(self, key_hash: str, key: Key, **new: int | str) -> list[Item]:
        """The writes that change the attributes `new` of a stored key, which then equals `key`.

        No other attribute is written: the hour of the last use can change concurrently.
        """
        forget_at = {} if key.forget_at is None else {"forget_at": key.forget_at}
        by_hash, by_id = {"key_hash": {"S": key_hash}}, list_key(key.tenant, key.key_id)
        return [
            _update(self._keys_table, by_hash, "key_hash", {**new, **forget_at}),
            _update(self._key_lists_table, by_id, "key_id", {"key_hash": key_hash, **forget_at}),
        ]

    def _listed(self, tenant: TenantId) -> tuple[int, list[str]]:
        """The revision and the keys' hashes; the revision sorts first, so it is read first."""
        items: list[Item] = []
        start: Item = {}
        while True:
            with answered():
                page = self._client.query(
                    TableName=self._key_lists_table,
                    KeyConditionExpression="tenant_id = :tenant",
                    ExpressionAttributeValues={":tenant": {"S": str(tenant)}},
                    ConsistentRead=True,
                    **start,
                )
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        revisions = [item for item in items if item["key_id"]["S"] == REVISION]
        hashes = [item["key_hash"]["S"] for item in items if item["key_id"]["S"] != REVISION]
        return _revision(next(iter(revisions), None)), hashes

    def _keys(self, tenant: TenantId, hashes: Iterable[str], now: float) -> list[Key]:
        items = self._read(self._keys_table, [{"key_hash": {"S": each}} for each in hashes])
        found = (key_of(item) for item in items)
        return [key for key in found if key.tenant == tenant and not key.past_retention(now)]

    def _read(self, table: str, names: list[Item]) -> list[Item]:
        """Those of the items that exist, in any order, read strongly consistent."""
        found: list[Item] = []
        for _ in range(_ROUNDS + len(names) // READS_A_CALL):
            if not names:
                return found
            asked = {table: {"Keys": names[:READS_A_CALL], "ConsistentRead": True}}
            with answered():
                page = self._client.batch_get_item(RequestItems=asked)
            found += page["Responses"].get(table, [])
            unread = page.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            names = unread + names[READS_A_CALL:]
        raise StoreUnavailableError("DynamoDB: it left items unread too often")


def _revision(item: Item | None) -> int:
    return int(item["revision"]["N"]) if item else 0


def _put(table: str, item: Item, key_attribute: str) -> Item:
    """A put that never overwrites an existing item."""
    absent = f"attribute_not_exists({key_attribute})"
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": absent}}


def _update(table: str, key: Item, key_attribute: str, new: dict[str, int | str]) -> Item:
    """Set the attributes `new` of an existing item."""
    values = {
        f":{name}": {"S": value} if isinstance(value, str) else {"N": str(value)}
        for name, value in new.items()
    }
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in new),
            "ConditionExpression": f"attribute_exists({key_attribute})",
            "ExpressionAttributeValues": values,
        }
    }
