"""An account's keys in DynamoDB: reads, and the writes that make up a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.update import Action

from functions.accounts.key_item import key_item, key_of, list_item, list_key
from functions.accounts.stored_key import Key
from functions.shared.tables.keys import KeyItem, KeyListItem
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write
from functions.shared.tenancy import TenantId

REVISION = "!revision"
"""Sort key of the revision among the list's entries: no key id begins with `!`."""


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
        self._hashed = Table(KeyItem, keys_table, client)
        self._lists = Table(KeyListItem, key_lists_table, client)

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
        items = {item.key_id: item for item in self._lists.read(names)}
        if key_id not in items:
            return None
        key_hash = items[key_id].key_hash
        found = self._keys(tenant, [key_hash], now)
        return StoredKey(key_hash, found[0], _revision(items.get(REVISION))) if found else None

    def step(self, tenant: TenantId, revision: int) -> Write:
        """The write that increments the list's revision, on condition that it still is `revision`."""
        stored = KeyListItem.revision
        return self._lists.write_of_update(
            list_key(tenant, REVISION),
            stored.set(revision + 1),
            condition=stored == revision if revision else stored.does_not_exist(),
        )

    def added(self, key_hash: str, key: Key) -> list[Write]:
        """The writes of a new key, which never overwrite another."""
        return [
            self._hashed.write_of_put(key_item(key_hash, key), KeyItem.key_hash.does_not_exist()),
            self._lists.write_of_put(list_item(key_hash, key), KeyListItem.key_id.does_not_exist()),
        ]

    def changed(self, key_hash: str, key: Key, **new: int | str) -> list[Write]:
        """The writes that change the attributes `new` of a stored key, which then equals `key`.

        No other attribute is written: the hour of the last use can change concurrently.
        """
        by_hash: list[Action] = [getattr(KeyItem, name).set(value) for name, value in new.items()]
        by_id: list[Action] = [KeyListItem.key_hash.set(key_hash)]
        if key.forget_at is not None:
            by_hash.append(KeyItem.forget_at.set(key.forget_at))
            by_id.append(KeyListItem.forget_at.set(key.forget_at))
        return [
            self._hashed.write_of_update(key_hash, *by_hash, condition=KeyItem.key_hash.exists()),
            self._lists.write_of_update(
                list_key(key.tenant, key.key_id), *by_id, condition=KeyListItem.key_id.exists()
            ),
        ]

    def _listed(self, tenant: TenantId) -> tuple[int, list[str]]:
        """The revision and the keys' hashes; the revision sorts first, so it is read first."""
        items = list(self._lists.query(str(tenant)))
        revisions = [item for item in items if item.key_id == REVISION]
        hashes = [item.key_hash for item in items if item.key_id != REVISION]
        return _revision(next(iter(revisions), None)), hashes

    def _keys(self, tenant: TenantId, hashes: Sequence[str], now: float) -> list[Key]:
        found = (key_of(item) for item in self._hashed.read(hashes))
        return [key for key in found if key.tenant == tenant and not key.past_retention(now)]


def _revision(item: KeyListItem | None) -> int:
    return item.revision if item else 0
