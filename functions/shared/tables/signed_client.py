"""Requests to DynamoDB with the standard library alone, for a cold start and a path that callers wait for.

botocore and pynamodb take four times as long to import and to make a client, and botocore 2 ms of CPU for a
request of 25 writes (docs/performance.md). This client knows what the authorizer and the ledger need of them:
requests signed with the environment's credentials (Signature Version 4), kept connections, timeouts, retries,
and the errors of functions.shared.tables.store_errors. tests/contract/test_signed_client.py compares its
signatures with botocore's, and what it reads with pynamodb's.
"""

import hashlib
import http.client
import json
import os
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from functions.shared.aws_signature import Signer, endpoint, trusted_tls
from functions.shared.tables.store_errors import cancellation_reasons, error_of

SERVICE = "dynamodb"
CONTENT_TYPE = "application/x-amz-json-1.0"

READ_SECONDS, TRIES = 1.5, 3
"""Together less than the five seconds that the authorizer has."""

HASTY_SECONDS = 0.3

MAX_ANSWER_BYTES = 1024 * 1024
"""An item has at most 400 KB."""

_WAIT_SECONDS = 0.05

_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
}

Request = Mapping[str, Any]
"""The parameters of an operation, as DynamoDB's API names them; values with their types: `{"S": "acme"}`."""


class SignedClient:
    """Sends one request at a time; threads may not share it. Connects with the first request.

    Parameters
    ----------
    seconds: timeout of connecting, and of each answer.
    tries: how often a request is sent that DynamoDB throttles or does not answer.
    read_value: what an answer has in place of a JSON object; None for the object.
    """

    def __init__(
        self,
        seconds: float = READ_SECONDS,
        tries: int = TRIES,
        read_value: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        self._seconds = seconds
        self._tries = tries
        self._read_value = read_value
        self._connection: http.client.HTTPConnection | None = None

    def call(self, operation: str, request: Request) -> dict[str, Any]:
        """The answer of an operation, such as `GetItem`.

        Raises
        ------
        ConditionFailedError, WriteConflictError
        StoreUnavailableError: a write may or may not have taken place.
        """
        return self.send(operation, json.dumps(request).encode())

    def send(self, operation: str, body: bytes) -> dict[str, Any]:
        """Like `call`, for a request that is encoded already."""
        reasons: frozenset[str] = frozenset()
        for left in reversed(range(self._tries)):
            try:
                status, answer = self._answer(operation, body)
            except (OSError, http.client.HTTPException, ValueError) as fault:
                self._close()
                reason = type(fault).__name__
            else:
                if status == 200:
                    return answer
                reason, reasons = _code_of(status, answer), cancellation_reasons(answer)
                if status < 500 and reason not in _THROTTLED:
                    break
            if left:
                time.sleep(random.uniform(0, _WAIT_SECONDS))  # noqa: S311
        # Raised outside of `except`: no error of a request remains as its context.
        raise error_of(reason, reasons)

    def _answer(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Send once; anew when DynamoDB closed a kept connection, as after a pause of the environment."""
        address = endpoint(SERVICE)
        headers = signed_headers(operation, body, address.netloc, os.environ, datetime.now(UTC))
        kept = self._connection is not None
        try:
            return self._sent(address.scheme, address.netloc, headers, body)
        except ConnectionError:
            if not kept:
                raise
        self._close()
        return self._sent(address.scheme, address.netloc, headers, body)

    def _sent(
        self, scheme: str, host: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            self._connection = connect(scheme, host, self._seconds)
        self._connection.request("POST", "/", body=body, headers=headers)
        response = self._connection.getresponse()
        content = response.read(MAX_ANSWER_BYTES + 1)
        if len(content) > MAX_ANSWER_BYTES:
            raise ValueError("the answer is too large")
        answer = json.loads(content, object_hook=self._read_value)
        if not isinstance(answer, dict):
            raise ValueError("the answer is no object")  # noqa: TRY004
        return response.status, answer

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect(scheme: str, host: str, seconds: float) -> http.client.HTTPConnection:
    """A connection that is opened with its first request."""
    if scheme == "http":
        return http.client.HTTPConnection(host, timeout=seconds)
    return http.client.HTTPSConnection(host, timeout=seconds, context=trusted_tls())


def signed_headers(
    operation: str, body: bytes, host: str, environ: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """The headers of a request at `now`, in UTC, with its signature (AWS4-HMAC-SHA256).

    Raises
    ------
    SettingsError: the environment has no credentials or no region.
    """
    headers = {
        "content-type": CONTENT_TYPE,
        "host": host,
        "x-amz-target": f"DynamoDB_20120810.{operation}",
    }
    signer = Signer(SERVICE, headers, environ, now)
    authorization = signer.authorization("POST", "/", hashlib.sha256(body).hexdigest())
    return {**signer.headers, "authorization": authorization}


def _code_of(status: int, answer: Mapping[str, Any]) -> str:
    kind = answer.get("__type")
    return kind.rpartition("#")[2] if isinstance(kind, str) else f"status {status}"
