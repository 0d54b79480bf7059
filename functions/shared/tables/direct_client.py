"""DynamoDB for the ledger by signed requests, in place of a boto3 client.

Of a batch of 990 objects, botocore took two thirds of the ledger's CPU: it walks each request and each answer
by its model of the API (docs/performance.md). pynamodb still builds the requests.
"""

import base64
import threading
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec

from functions.shared.signed_json_client import TRIES
from functions.shared.tables.signed_client import SignedClient

SECONDS = 3.0
"""Timeout of connecting, and of each answer, as in functions.shared.aws_client."""

_encode = msgspec.json.Encoder().encode


class DirectClient:
    """The operations of a boto3 client for DynamoDB that a Table uses, with its parameters and answers.

    Raises the errors of functions.shared.tables.store_errors instead of botocore's. Threads may share it:
    each has a connection of its own.
    """

    def __init__(self, seconds: float = SECONDS, tries: int = TRIES) -> None:
        self._seconds = seconds
        self._tries = tries
        self._of_thread = threading.local()

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self._call("GetItem", request)

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._call("PutItem", request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._call("UpdateItem", request)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        return self._call("BatchGetItem", request)

    def query(self, **request: Any) -> dict[str, Any]:
        return self._call("Query", request)

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        return self._call("BatchExecuteStatement", request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All attempts have one token, so a lost answer does not run the transaction twice."""
        return self._call("TransactWriteItems", {"ClientRequestToken": str(uuid4()), **request})

    def _call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._client().send(operation, _encode(request))

    def _client(self) -> SignedClient:
        client: SignedClient | None = getattr(self._of_thread, "client", None)
        if client is None:
            client = self._of_thread.client = SignedClient(self._seconds, self._tries, _value)
        return client


def _value(value: dict[str, Any]) -> dict[str, Any]:
    """A text under the only name `B` is a binary attribute: base64 in DynamoDB's JSON, and bytes outside."""
    binary = value.get("B")
    if isinstance(binary, str) and len(value) == 1:
        return {"B": base64.b64decode(binary)}
    return value
