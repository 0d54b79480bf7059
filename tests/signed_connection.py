"""What stands behind functions.shared.signed_json_client in tests on moto, which serves no socket there."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from botocore import xform_name
from botocore.exceptions import ClientError


class SignedResponse:
    """An answer of a service: status and JSON body."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self._body = body

    def read(self, size: int) -> bytes:
        return self._body[:size]


class MotoConnection:
    """A kept connection to mocked services, through a boto3 client of each."""

    def __init__(self, *clients: Any) -> None:
        self._clients = {each.meta.service_model.metadata["targetPrefix"]: each for each in clients}
        self._response = SignedResponse(500, b"{}")

    def request(self, _method: str, _path: str, *, body: bytes, headers: dict[str, str]) -> None:
        service, _, operation = headers["x-amz-target"].partition(".")
        try:
            answer = getattr(self._clients[service], xform_name(operation))(**_with_bytes(json.loads(body)))
        except ClientError as fault:
            error = {
                "__type": f"com.amazonaws#{fault.response['Error']['Code']}",
                "CancellationReasons": fault.response.get("CancellationReasons"),
            }
            self._response = SignedResponse(400, json.dumps(error).encode())
        else:
            answer.pop("ResponseMetadata")
            self._response = SignedResponse(200, json.dumps(answer, default=_encoded).encode())

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


def _encoded(value: bytes | datetime) -> str | float:
    return value.timestamp() if isinstance(value, datetime) else base64.b64encode(value).decode()


def connecting_to(*clients: Any) -> Callable[[str, str, float], MotoConnection]:
    """What replaces `functions.shared.signed_json_client.connect`."""
    return lambda _scheme, _host, _seconds: MotoConnection(*clients)


@contextmanager
def signed_requests_to(*clients: Any) -> Iterator[None]:
    """Requests that are signed without botocore reach the mocked services of boto3 clients, too."""
    with patch("functions.shared.signed_json_client.connect", connecting_to(*clients)):
        yield
