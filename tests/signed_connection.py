"""What stands behind functions.shared.tables.signed_client in tests on moto, which serves no socket there."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore import xform_name
from botocore.exceptions import ClientError


class SignedResponse:
    """An answer of DynamoDB: status and JSON body."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self._body = body

    def read(self, size: int) -> bytes:
        return self._body[:size]


class MotoConnection:
    """A kept connection to a mocked DynamoDB, through one of its boto3 clients."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._response = SignedResponse(500, b"{}")

    def request(self, _method: str, _path: str, *, body: bytes, headers: dict[str, str]) -> None:
        operation = headers["x-amz-target"].partition(".")[2]
        try:
            answer = getattr(self._client, xform_name(operation))(**_with_bytes(json.loads(body)))
        except ClientError as fault:
            error = {
                "__type": f"com.amazonaws.dynamodb.v20120810#{fault.response['Error']['Code']}",
                "CancellationReasons": fault.response.get("CancellationReasons"),
            }
            self._response = SignedResponse(400, json.dumps(error).encode())
        else:
            answer.pop("ResponseMetadata")
            self._response = SignedResponse(200, json.dumps(answer, default=_base64).encode())

    def getresponse(self) -> SignedResponse:
        return self._response

    def close(self) -> None:
        """Nothing is open."""


def _with_bytes(value: Any) -> Any:
    """A request as boto3 takes it: binary attributes are bytes."""
    if isinstance(value, list):
        return [_with_bytes(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"B"}:
        return {"B": base64.b64decode(value["B"])}
    return {name: _with_bytes(each) for name, each in value.items()}


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def connecting_to(client: Any) -> Callable[[str, str, float], MotoConnection]:
    """What replaces `functions.shared.tables.signed_client.connect`."""
    return lambda _scheme, _host, _seconds: MotoConnection(client)


@contextmanager
def signed_requests_to(client: Any) -> Iterator[None]:
    """Requests that are signed without botocore reach the mocked DynamoDB of a boto3 client, too."""
    with patch("functions.shared.tables.signed_client.connect", connecting_to(client)):
        yield
