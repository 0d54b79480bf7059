"""Requests to DynamoDB without botocore and pynamodb, for a cold start and a path that callers wait for.

botocore and pynamodb take four times as long to import and to make a client, and botocore 2 ms of CPU for a
request of 25 writes (docs/performance.md). tests/contract/test_signed_client.py compares this client's
signatures with botocore's, and what it reads with pynamodb's.
"""

from collections.abc import Callable, Mapping
from typing import Any

from functions.shared.signed_json_client import READ_SECONDS, TRIES, JsonService, SignedJsonClient
from functions.shared.tables.store_errors import cancellation_reasons, error_of

DYNAMODB = JsonService("dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0")

HASTY_SECONDS = 0.3


class SignedClient(SignedJsonClient):
    """A SignedJsonClient for DynamoDB. A request's values have their types: `{"S": "acme"}`.

    Raises
    ------
    ConditionFailedError, WriteConflictError
    StoreUnavailableError: a write may or may not have taken place.
    """

    def __init__(
        self,
        seconds: float = READ_SECONDS,
        tries: int = TRIES,
        read_value: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        super().__init__(DYNAMODB, _error_of, seconds, tries, read_value)


def _error_of(code: str, answer: Mapping[str, Any]) -> Exception:
    return error_of(code, cancellation_reasons(answer))
