"""moto's DynamoDB transactions, at a cost that does not grow with the table.

Before a transaction moto deep-copies the whole table, once for each item in it; with some thousand items a
transaction takes seconds. Here a table is copied once, shallowly, and only the items named in the transaction
are deep-copied, which is enough for a rollback.
"""

import copy
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from local import inserts

_original = DynamoDBBackend.transact_write_items


class _Copying:
    """Replacement for `copy` in moto's module."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Table] = {}

    def deepcopy(self, thing: Any) -> Any:
        return self.snapshots[thing.name] if isinstance(thing, Table) else copy.deepcopy(thing)


def install() -> None:
    """Replace moto's function, and that of inserts, until the process ends."""
    inserts.install()
    copying = models.copy = _Copying()

    def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        copying.snapshots = _snapshots(backend, [next(iter(each.values())) for each in transact_items])
        _original(backend, transact_items)

    DynamoDBBackend.transact_write_items = transact_write_items


def _snapshots(backend: DynamoDBBackend, operations: list[dict[str, Any]]) -> dict[str, Table]:
    """The tables named in `operations`, as they are now."""
    snapshots: dict[str, Table] = {}
    for operation in operations:
        name = operation["TableName"]
        if name not in backend.tables:
            continue
        table = backend.tables[name]
        if name not in snapshots:
            snapshots[name] = copy.copy(table)
            snapshots[name].items = copy.copy(table.items)
        _keep(snapshots[name], table, operation.get("Key") or operation["Item"])
    return snapshots


def _keep(snapshot: Table, table: Table, named: dict[str, Any]) -> None:
    """Put a copy of the item named by `named` into `snapshot`, if it exists."""
    key = DynamoType(named[table.hash_key_attr])
    if key not in table.items:
        return
    if not table.range_key_attr:
        snapshot.items[key] = copy.deepcopy(table.items[key])
        return
    if snapshot.items[key] is table.items[key]:
        snapshot.items[key] = copy.copy(table.items[key])
    range_key = DynamoType(named[table.range_key_attr])
    if range_key in table.items[key]:
        snapshot.items[key][range_key] = copy.deepcopy(table.items[key][range_key])
