"""Requests to AWS's JSON services with the standard library alone, for a cold start that callers wait for.

botocore takes four times as long to import and to make a client (docs/performance.md). Requests are signed
with the environment's credentials (functions.shared.aws_signature), over a kept connection, with timeouts and
retries.
"""

import hashlib
import http.client
import json
import os
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from functions.shared.aws_signature import Signer, endpoint, trusted_tls

READ_SECONDS, TRIES = 1.5, 3
"""Together less than the five seconds that the authorizer has."""

MAX_ANSWER_BYTES = 1024 * 1024
"""An item of DynamoDB has at most 400 KB, a secret 64."""

_WAIT_SECONDS = 0.05

_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
}


class JsonService(NamedTuple):
    """A service whose operations are POST requests with JSON; `target_prefix` stands before an operation."""

    name: str
    target_prefix: str
    content_type: str


class SignedJsonClient:
    """Sends one request at a time; threads may not share it. Connects with the first request.

    Parameters
    ----------
    error_of: the error for the service's code and its answer; the answer is empty if there was none.
    seconds: timeout of connecting, and of each answer.
    tries: how often a request is sent that the service throttles or does not answer.
    read_value: what an answer has in place of a JSON object; None for the object.
    """

    def __init__(
        self,
        service: JsonService,
        error_of: Callable[[str, Mapping[str, Any]], Exception],
        seconds: float = READ_SECONDS,
        tries: int = TRIES,
        read_value: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        self._service = service
        self._error_of = error_of
        self._seconds = seconds
        self._tries = tries
        self._read_value = read_value
        self._connection: http.client.HTTPConnection | None = None

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of an operation, such as `GetItem`. Raises SettingsError and what `error_of` makes."""
        return self.send(operation, json.dumps(request).encode())

    def send(self, operation: str, body: bytes) -> dict[str, Any]:
        """Like `call`, for a request that is encoded already."""
        refusal: Mapping[str, Any] = {}
        for left in reversed(range(self._tries)):
            try:
                status, answer = self._answer(operation, body)
            except (OSError, http.client.HTTPException, ValueError) as fault:
                self._close()
                reason = type(fault).__name__
            else:
                if status == 200:
                    return answer
                reason, refusal = _code_of(status, answer), answer
                if status < 500 and reason not in _THROTTLED:
                    break
            if left:
                time.sleep(random.uniform(0, _WAIT_SECONDS))  # noqa: S311
        # Raised outside of `except`: no error of a request remains as its context.
        raise self._error_of(reason, refusal)

    def _answer(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Send once; anew when the service closed a kept connection, as after a pause of the environment."""
        address = endpoint(self._service.name)
        headers = signed_headers(
            self._service, operation, body, address.netloc, os.environ, datetime.now(UTC)
        )
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
    service: JsonService, operation: str, body: bytes, host: str, environ: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """The headers of a request at `now`, in UTC, with its signature (AWS4-HMAC-SHA256).

    Raises
    ------
    SettingsError: the environment has no credentials or no region.
    """
    headers = {
        "content-type": service.content_type,
        "host": host,
        "x-amz-target": f"{service.target_prefix}.{operation}",
    }
    signer = Signer(service.name, headers, environ, now)
    authorization = signer.authorization("POST", "/", hashlib.sha256(body).hexdigest())
    return {**signer.headers, "authorization": authorization}


def _code_of(status: int, answer: Mapping[str, Any]) -> str:
    kind = answer.get("__type")
    return kind.rpartition("#")[2] if isinstance(kind, str) else f"status {status}"
