"""One DynamoDB table: reads and writes of a model's items, and the writes that make up a transaction."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pynamodb.constants import (
    ALL_NEW,
    ATTRIBUTES,
    ITEM,
    ITEMS,
    KEY,
    KEYS,
    NONE,
    RESPONSES,
    UNPROCESSED_KEYS,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared.tables.connection import ClientConnection
from functions.shared.tables.inserts import INSERTS_A_CALL, insert_statement, split_by_outcome
from functions.shared.tables.item import Item
from functions.shared.tables.pages import Answer, Start, next_start, pages
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tables.transaction import Write

READS_A_CALL = 100
READ_ROUNDS = 8
"""How often items are read that DynamoDB left out: it lacked capacity, or the answer reached 16 MB."""

INSERT_ROUNDS = 6
"""How often items are sent that DynamoDB did not write, for example because it throttles; at most 3 s."""

_WAIT_SECONDS = 0.05

M = TypeVar("M", bound=Item)


class NewItem(Protocol):
    """An item to be written: that of a model, or one that encodes itself."""

    def serialize(self) -> dict[str, dict[str, Any]]: ...


N = TypeVar("N", bound=NewItem)

Key = str | tuple[str, str]
"""A partition key, or partition and sort key."""


@dataclass(frozen=True, slots=True)
class TablePage(Generic[M]):
    """Items of one page, and where the next one begins; None after the last."""

    items: list[M]
    next_start: Start | None


class Table(Generic[M]):
    """The items of one table. Every method raises StoreUnavailableError when DynamoDB fails.

    Reads are strongly consistent, except those of an index. Threads may share it.

    Parameters
    ----------
    name: the table's name in AWS.
    client: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, model: type[M], name: str, client: Any = None) -> None:
        self._model = model
        self._name = name
        self._connection = ClientConnection(client)
        self._connection.add_meta_table(model.described(name))

    def get(self, key: Key, attributes: Sequence[str] | None = None) -> M | None:
        """The item, or None; `attributes`: names of the only attributes to return."""
        answer = self._connection.get_item(
            self._name, *_parts(key), consistent_read=True, attributes_to_get=_listed(attributes)
        )
        found = answer.get(ITEM)
        return self._model.from_raw_data(found) if found else None

    def put(self, item: M, condition: Condition | None = None) -> None:
        """Write the whole item. Raises ConditionFailedError when `condition` does not hold."""
        values = item.serialize()
        self._connection.put_item(self._name, *self._key_of(values), attributes=values, condition=condition)

    def insert_missing(self, items: Sequence[N]) -> list[N]:
        """Write those of `items` whose keys do not exist; return the others.

        Each item is written on its own, for half the price of a transaction: some may be written when this
        raises. Among the others may be an item that this call wrote, if the first response was lost.
        """
        return [
            each
            for start in range(0, len(items), INSERTS_A_CALL)
            for each in self._insert_some(items[start : start + INSERTS_A_CALL])
        ]

    def update(self, key: Key, *actions: Action, condition: Condition | None = None) -> None:
        """Change attributes of the item. Raises ConditionFailedError when `condition` does not hold."""
        self._connection.update_item(
            self._name, *_parts(key), actions=actions, condition=condition, return_values=NONE
        )

    def update_and_get(self, key: Key, *actions: Action, condition: Condition | None = None) -> M:
        """Like `update`; returns the item after it."""
        answer = self._connection.update_item(
            self._name, *_parts(key), actions=actions, condition=condition, return_values=ALL_NEW
        )
        return self._model.from_raw_data(answer[ATTRIBUTES])

    def delete(self, key: Key, condition: Condition | None = None) -> None:
        """Delete the item; a missing one is not an error. Raises ConditionFailedError like `put`."""
        self._connection.delete_item(self._name, *_parts(key), condition=condition)

    def read(
        self, keys: Sequence[Key], attributes: Sequence[str] | None = None, *, consistent: bool = True
    ) -> list[M]:
        """Those of the items that exist, in no order."""
        unique = list(dict.fromkeys(keys))
        return [
            self._model.from_raw_data(each)
            for start in range(0, len(unique), READS_A_CALL)
            for each in self._batch(unique[start : start + READS_A_CALL], attributes, consistent)
        ]

    def query(self, partition: str, **choices: Any) -> Iterator[M]:
        """All items of a partition, ordered by sort key, read page by page; `choices` as for `page`."""
        for answer in pages(lambda start: self._query(partition, start=start, **choices)):
            yield from self._items(answer)

    def page(self, partition: str, *, limit: int, start: Start | None = None, **choices: Any) -> TablePage[M]:
        """One page of a partition.

        Parameters
        ----------
        limit: number of items read, before `keep` leaves any out.
        start: `next_start` of the page before.
        sort: a condition on the sort key.
        keep: a condition that DynamoDB checks after it has read an item.
        index: name of the index; its items have its projection only.
        attributes: names of the only attributes to return.
        newest_first: in descending order of the sort key.
        consistent: strongly; has no effect on an index.
        """
        answer = self._query(partition, limit=limit, start=start, **choices)
        return TablePage(self._items(answer), next_start(answer))

    def scan(
        self,
        keep: Condition | None = None,
        attributes: Sequence[str] | None = None,
        *,
        consistent: bool = True,
    ) -> Iterator[M]:
        """All items of the table in no order, read page by page."""
        for answer in pages(lambda start: self._scan(start, keep, attributes, consistent)):
            yield from self._items(answer)

    def write_of_put(self, item: NewItem, condition: Condition | None = None) -> Write:
        """`put` as part of a transaction."""
        values = item.serialize()
        return {"Put": self._write(self._key_of(values), into=ITEM, attributes=values, condition=condition)}

    def write_of_update(self, key: Key, *actions: Action, condition: Condition | None = None) -> Write:
        """`update` as part of a transaction."""
        return {"Update": self._write(_parts(key), actions=actions, condition=condition)}

    def write_of_delete(self, key: Key, condition: Condition | None = None) -> Write:
        """`delete` as part of a transaction."""
        return {"Delete": self._write(_parts(key), condition=condition)}

    def write_of_check(self, key: Key, condition: Condition) -> Write:
        """A condition on an item that the transaction does not change."""
        return {"ConditionCheck": self._write(_parts(key), condition=condition)}

    def _write(self, key: tuple[str, str | None], into: str = KEY, **choices: Any) -> dict[str, Any]:
        return self._connection.get_operation_kwargs(self._name, *key, key=into, **choices)

    def _key_of(self, values: dict[str, dict[str, Any]]) -> tuple[str, str | None]:
        """The key in an encoded item; keys are strings."""
        meta = self._connection.get_meta_table(self._name)
        partition: str = next(iter(values[meta.hash_keyname].values()))
        if meta.range_keyname is None:
            return partition, None
        return partition, next(iter(values[meta.range_keyname].values()))

    def _query(
        self,
        partition: str,
        *,
        sort: Condition | None = None,
        keep: Condition | None = None,
        index: str | None = None,
        attributes: Sequence[str] | None = None,
        newest_first: bool = False,
        consistent: bool = True,
        limit: int | None = None,
        start: Start | None = None,
    ) -> Answer:
        return self._connection.query(
            self._name,
            partition,
            range_key_condition=sort,
            filter_condition=keep,
            attributes_to_get=_listed(attributes),
            consistent_read=consistent and index is None,
            exclusive_start_key=start,
            index_name=index,
            limit=limit,
            scan_index_forward=False if newest_first else None,
        )

    def _scan(
        self,
        start: Start | None,
        keep: Condition | None,
        attributes: Sequence[str] | None,
        consistent: bool,
    ) -> Answer:
        begin: Any = start
        return self._connection.scan(
            self._name,
            filter_condition=keep,
            attributes_to_get=_listed(attributes),
            exclusive_start_key=begin,
            consistent_read=consistent,
        )

    def _batch(
        self, keys: Sequence[Key], attributes: Sequence[str] | None, consistent: bool
    ) -> Iterator[dict[str, Any]]:
        unread: Any = [self._encoded(key) for key in keys]
        for attempt in range(READ_ROUNDS):
            answer = self._connection.batch_get_item(
                self._name, unread, consistent_read=consistent, attributes_to_get=_listed(attributes)
            )
            yield from answer[RESPONSES].get(self._name, ())
            unread = answer.get(UNPROCESSED_KEYS, {}).get(self._name, {}).get(KEYS, [])
            if not unread:
                return
            time.sleep(random.uniform(0, _WAIT_SECONDS * 2**attempt))  # noqa: S311
        raise StoreUnavailableError("DynamoDB: it left items unread too often")

    def _insert_some(self, items: Sequence[N]) -> Iterator[N]:
        unwritten, code = items, ""
        for attempt in range(INSERT_ROUNDS):
            statements = [insert_statement(self._name, each.serialize()) for each in unwritten]
            answer = self._connection.dispatch("BatchExecuteStatement", {"Statements": statements})
            existing, unwritten, code = split_by_outcome(unwritten, answer["Responses"])
            yield from existing
            if not unwritten:
                return
            time.sleep(random.uniform(0, _WAIT_SECONDS * 2**attempt))  # noqa: S311
        raise StoreUnavailableError(f"DynamoDB: {code}")

    def _encoded(self, key: Key) -> dict[str, Any]:
        meta = self._connection.get_meta_table(self._name)
        partition, sort = _parts(key)
        encoded = {meta.hash_keyname: {"S": partition}}
        return encoded if sort is None else {**encoded, str(meta.range_keyname): {"S": sort}}

    def _items(self, answer: Answer) -> list[M]:
        return [self._model.from_raw_data(each) for each in answer[ITEMS]]


def _parts(key: Key) -> tuple[str, str | None]:
    """Partition key and sort key."""
    return (key, None) if isinstance(key, str) else key


def _listed(attributes: Sequence[str] | None) -> list[str] | None:
    """pynamodb takes a tuple for one attribute."""
    return None if attributes is None else list(attributes)
