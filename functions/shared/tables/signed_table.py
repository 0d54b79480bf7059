"""One table through a signed client: reads of an item, and the two updates that the authorizer makes."""

from typing import Any

from functions.shared.tables.plain import PlainItem, plain
from functions.shared.tables.signed_client import SignedClient


class SignedTable:
    """A table whose partition key is text and its only key. Every method raises StoreUnavailableError.

    Parameters
    ----------
    name: the table's name in AWS.
    key_name: the name of its key.
    """

    def __init__(self, client: SignedClient, name: str, key_name: str) -> None:
        self._client = client
        self._name = name
        self._key_name = key_name

    def get(self, key: str) -> PlainItem | None:
        """The item, read strongly consistent, or None."""
        answer = self._client.call("GetItem", {**self._at(key), "ConsistentRead": True})
        found = answer.get("Item")
        return {name: plain(value) for name, value in found.items()} if found else None

    def set_number(self, key: str, attribute: str, number: int) -> None:
        """Set an attribute of an item that exists.

        Raises
        ------
        ConditionFailedError: it does not exist.
        """
        self._client.call(
            "UpdateItem",
            {
                **self._at(key),
                "UpdateExpression": "SET #attribute = :number",
                "ConditionExpression": "attribute_exists(#key)",
                "ExpressionAttributeNames": {"#attribute": attribute, "#key": self._key_name},
                "ExpressionAttributeValues": {":number": {"N": str(number)}},
            },
        )

    def add_one(self, key: str, counter: str, forget_at: int) -> int:
        """Add one to an attribute, and return the sum; DynamoDB deletes the item after `forget_at`."""
        answer = self._client.call(
            "UpdateItem",
            {
                **self._at(key),
                "UpdateExpression": "ADD #counter :one SET forget_at = :end",
                "ExpressionAttributeNames": {"#counter": counter},
                "ExpressionAttributeValues": {":one": {"N": "1"}, ":end": {"N": str(forget_at)}},
                "ReturnValues": "ALL_NEW",
            },
        )
        return int(plain(answer["Attributes"][counter]))

    def _at(self, key: str) -> dict[str, Any]:
        return {"TableName": self._name, "Key": {self._key_name: {"S": key}}}
