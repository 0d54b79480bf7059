"""HTTP API payload 2.0, as values: a request becomes an event, a function's answer becomes a response."""

import base64
import binascii
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.naming import ACCOUNT_ID, REGION

STAGE = "$default"
API_ID = "local"
MAX_PAYLOAD_BYTES = 6_291_456
"""Limits of the event and of the answer of a synchronous invocation."""

_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript")


@dataclass(frozen=True, slots=True)
class Call:
    """A request as received: header and query pairs in order, the body undecoded."""

    method: str
    path: str
    raw_query: str
    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Response:
    """The response to the client."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()
    body: bytes = b""


class GarbledAnswerError(ValueError):
    """The function's answer is not an HTTP response."""


def event_of(call: Call, route_key: str, path_parameters: Mapping[str, str]) -> dict[str, Any]:
    """The event a function gets; the caller of the authorizer adds `requestContext.authorizer`."""
    headers = _joined((name.lower(), value) for name, value in call.headers)
    cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": call.path,
        "rawQueryString": call.raw_query,
        "headers": headers,
        "requestContext": _context(call, route_key, headers),
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if call.query:
        event["queryStringParameters"] = _joined(call.query)
    if path_parameters:
        event["pathParameters"] = dict(path_parameters)
    if call.body:
        event["body"], event["isBase64Encoded"] = _body(call.body, headers)
    return event


def authorizer_event_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a payload 2.0 authorizer for the request of `event`: everything but the body."""
    shared = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    route = event["routeKey"].replace(" ", "")
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{STAGE}/{route}"
    return {**shared, "type": "REQUEST", "routeArn": arn, "identitySource": []}


def response_of(answer: Any) -> Response:
    """The gateway's interpretation of a function's answer; without a `statusCode` it is the body of a 200.

    Raises
    ------
    GarbledAnswerError: the gateway would answer 500.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(200, {"content-type": "application/json"}, body=json.dumps(answer).encode())
    try:
        text = answer.get("body") or ""
        body = base64.b64decode(text, validate=True) if answer.get("isBase64Encoded") else text.encode()
        headers = {str(name).lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
        status = int(answer["statusCode"])
    except (AttributeError, TypeError, ValueError, binascii.Error) as fault:
        raise GarbledAnswerError(str(fault)) from fault
    return Response(status, {"content-type": "text/plain", **headers}, answer.get("cookies") or (), body)


def _context(call: Call, route_key: str, headers: Mapping[str, str]) -> dict[str, Any]:
    host = headers.get("host", "")
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": host,
        "domainPrefix": API_ID,
        "http": {
            "method": call.method,
            "path": call.path,
            "protocol": "HTTP/1.1",
            "sourceIp": call.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": call.request_id,
        "routeKey": route_key,
        "stage": STAGE,
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "timeEpoch": time.time_ns() // 1_000_000,
    }


def _joined(pairs: Any) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
    """Text if type and encoding say so, else base64; invalid UTF-8 is base64 too, so no byte changes."""
    media_type = headers.get("content-type", "").lower()
    if media_type.startswith(_TEXT_TYPES) and headers.get("content-encoding", "identity") == "identity":
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True
