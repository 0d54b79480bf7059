"""moto's DynamoDB transactions, at a price that does not grow with the table.

Before a transaction moto copies the whole table deeply, once for each item in it; with some thousand items a
transaction takes seconds. Here a table is copied once, shallowly, and only the items that the transaction
names are copied deeply, which is all that taking it back needs.
"""

import copy
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_original = DynamoDBBackend.transact_write_items


class _Copying:
    """What moto's module sees in place of `copy`."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Table] = {}

    def deepcopy(self, thing: Any) -> Any:
        return self.snapshots[thing.name] if isinstance(thing, Table) else copy.deepcopy(thing)


def install() -> None:
    """Put this in place of moto's own, for the life of the process."""
    copying = models.copy = _Copying()

    def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        copying.snapshots = _snapshots(backend, [next(iter(each.values())) for each in transact_items])
        _original(backend, transact_items)

    DynamoDBBackend.transact_write_items = transact_write_items


def _snapshots(backend: DynamoDBBackend, operations: list[dict[str, Any]]) -> dict[str, Table]:
    """The tables that `operations` name, as they are now."""
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
    """Have in `snapshot` a copy of the item that `named` names, if there is one."""
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
