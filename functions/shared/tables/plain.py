"""Items of any table as plain JSON values, also of attributes that no model declares.

Exports and erasures read every table by the data inventory, whatever is in it. All keys are strings.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.shared.tables.pages import Answer, Start, next_start, pages
from functions.shared.tables.store_errors import answer_of
from functions.shared.tables.transaction import Write

PlainItem = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlainPage:
    """Items of one page, and where the next one begins; None after the last."""

    items: list[PlainItem]
    next_start: Start | None


class PlainTable:
    """One table, without a model. Every method raises StoreUnavailableError; reads are consistent.

    Parameters
    ----------
    name: the table's name in AWS.
    client: a boto3 client.
    """

    def __init__(self, name: str, client: Any) -> None:
        self._name = name
        self._client = client

    def partition_page(self, key_name: str, partition: str, start: Start | None) -> PlainPage:
        """Items whose partition key `key_name` is `partition`, at most 1 MB of them."""
        return self._page(
            "query",
            start,
            KeyConditionExpression="#name = :value",
            ExpressionAttributeNames={"#name": key_name},
            ExpressionAttributeValues={":value": {"S": partition}},
        )

    def scan_page(self, attribute: str, value: str, start: Start | None) -> PlainPage:
        """Items whose `attribute` is `value`, among 1 MB of the whole table."""
        return self._page(
            "scan",
            start,
            FilterExpression="#name = :value",
            ExpressionAttributeNames={"#name": attribute},
            ExpressionAttributeValues={":value": {"S": value}},
        )

    def values(self, attribute: str) -> Iterator[str]:
        """The attribute of every item that has it, by scanning the whole table."""
        names = {"#name": attribute}
        for answer in pages(
            lambda start: self._ask(
                "scan", start, ProjectionExpression="#name", ExpressionAttributeNames=names
            )
        ):
            yield from (plain(item[attribute]) for item in answer["Items"] if attribute in item)

    def write_of_delete(self, key: Mapping[str, str]) -> Write:
        """Delete the item with this key, as part of a transaction; a missing item is not an error."""
        encoded = {name: {"S": value} for name, value in key.items()}
        return {"Delete": {"TableName": self._name, "Key": encoded}}

    def _page(self, operation: str, start: Start | None, **question: Any) -> PlainPage:
        answer = self._ask(operation, start, **question)
        items = [{name: plain(each) for name, each in item.items()} for item in answer["Items"]]
        return PlainPage(items, next_start(answer))

    def _ask(self, operation: str, start: Start | None, **question: Any) -> Answer:
        if start:
            question["ExclusiveStartKey"] = start
        call = getattr(self._client, operation)
        answer: Answer = answer_of(lambda: call(TableName=self._name, ConsistentRead=True, **question))
        return answer


def plain(attribute: Mapping[str, Any]) -> Any:
    """The value of an attribute; whole numbers stay whole, sets become sorted lists, bytes base64."""
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdecimal() else float(value)
        case "NULL":
            return None
        case "SS":
            return sorted(value)
        case "NS":
            return sorted(plain({"N": each}) for each in value)
        case "L":
            return [plain(each) for each in value]
        case "M":
            return {name: plain(each) for name, each in value.items()}
        case "B":
            return base64.b64encode(value).decode()
        case _:
            return value
