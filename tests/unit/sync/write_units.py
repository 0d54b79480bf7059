"""Requests and write units of DynamoDB, counted from what a client sends and from what the items then are.

A unit is 1 KB of an item, before or after the write, whichever is larger; in a transaction it counts twice.
An item that enters or leaves an index costs another unit, its keys being small.
"""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

A_UNIT_BYTES = 1024

Item = dict[str, Any]
"""An encoded item."""


def item_bytes(item: Item) -> int:
    """The size of an item by DynamoDB's rules: names and values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content if isinstance(content, bytes) else b64decode(content))
        case "N":
            return (len(content) + 1) // 2 + 1
        case "L":
            return 3 + sum(1 + value_bytes(each) for each in content)
        case _:
            return 1


def units(item: Item) -> int:
    return -(-item_bytes(item) // A_UNIT_BYTES)


class WriteMeter:
    """Counts what `client` sends: `requests` by operation, and `units` of all writes."""

    def __init__(self, client: Any, table: str) -> None:
        self.requests: Counter[str] = Counter()
        self.units = 0
        self.largest_bytes = 0
        self._table = dynamodb_backends[DEFAULT_ACCOUNT_ID][client.meta.region_name].tables[table]
        self._before: list[tuple[str, Item, int]] = []
        client.meta.events.register("before-call.dynamodb", self._begin)
        client.meta.events.register("after-call.dynamodb", self._end)

    def _begin(self, model: Any, params: dict[str, Any], **_more: Any) -> None:
        self.requests[model.name] += 1
        written = list(written_keys(model.name, json.loads(params["body"])))
        price = 2 if model.name == "TransactWriteItems" else 1
        self._before = [(entry, self._item(entry), price) for entry in written]

    def _end(self, **_more: Any) -> None:
        for entry, before, price in self._before:
            after = self._item(entry)
            self.units += price * max(1, units(before), units(after))
            self.units += ("unmetered" in before) != ("unmetered" in after)
            self.largest_bytes = max(self.largest_bytes, item_bytes(after))
        self._before = []

    def _item(self, entry: str) -> Item:
        found = self._table.get_item(DynamoType({"S": entry}))
        return found.to_json()["Attributes"] if found else {}


def written_keys(operation: str, body: dict[str, Any]) -> Iterator[str]:
    """The keys `entry` of the items that a request writes."""
    match operation:
        case "PutItem":
            yield body["Item"]["entry"]["S"]
        case "UpdateItem":
            yield body["Key"]["entry"]["S"]
        case "BatchExecuteStatement":
            for each in body["Statements"]:
                names = [part.split("'")[1] for part in each["Statement"].partition("{")[2].split(",")]
                yield each["Parameters"][names.index("entry")]["S"]
        case "TransactWriteItems":
            for each in body["TransactItems"]:
                ((_, write),) = each.items()
                yield (write.get("Item") or write["Key"])["entry"]["S"]
