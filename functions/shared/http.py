"""HTTP API events (payload 2.0), responses, and the one form of every error response."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from functions.shared.errors import HttpError
from functions.shared.journal import measure, write

INTERNAL_ERROR = "internal_error"

Event = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `headers` have lower-case names; `body` is what arrived, before any decoding."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    query: dict[str, str]
    body: bytes = field(repr=False)
    request_id: str


def request(event: Event) -> Request:
    """Parse an event.

    Raises
    ------
    HttpError: 400 when the gateway marks the body as base64 and it is not.
    """
    context = event["requestContext"]
    return Request(
        method=context["http"]["method"],
        path=event.get("rawPath", "/"),
        headers=event.get("headers") or {},
        query=event.get("queryStringParameters") or {},
        body=_body(event),
        request_id=context["requestId"],
    )


def _body(event: Event) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return bytes(text, "utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as fault:
        raise HttpError(400, "invalid_body", "The body is not valid base64.") from fault


def answer(status: int, body: dict[str, Any] | bytes | None = None, **headers: str) -> Answer:
    """A JSON response; pass `headers` as `retry_after="1"`. A body of bytes is already JSON."""
    encoded = body.decode() if isinstance(body, bytes) else "" if body is None else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"statusCode": status, "headers": {"content-type": "application/json", **named}, "body": encoded}


def answering(route: Callable[[Event], Answer]) -> Callable[[Event, Any], Answer]:
    """Make `route` a Lambda handler: a HttpError is its response, any other error a 500 without details.

    The cause of a 500 is logged by type and place, without the exception's text, because a parser's message
    may quote the customer's data. Responses of 5xx are counted as `ServerErrors` of the route's folder in
    `functions/`.
    """
    folder = route.__module__.split(".")[1]

    def handler(event: Event, _context: Any) -> Answer:
        try:
            return route(event)
        except HttpError as refusal:
            if refusal.status >= 500:
                measure(folder, {"ServerErrors": (1, "Count")}, code=refusal.code)
            return refused(refusal, event)
        except Exception as fault:  # noqa: BLE001 - the last line of defence; nothing is swallowed unseen
            write("unexpected_error", error_type=type(fault).__name__, error_place=_place(fault))
            measure(folder, {"ServerErrors": (1, "Count")}, code=INTERNAL_ERROR)
            return refused(HttpError(500, INTERNAL_ERROR, "Something went wrong on our side."), event)

    handler.__doc__ = route.__doc__
    return handler


def refused(refusal: HttpError, event: Event) -> Answer:
    """The one form of every error response."""
    body = {
        **refusal.details,
        "error": refusal.message,
        "code": refusal.code,
        "request_id": event.get("requestContext", {}).get("requestId", ""),
    }
    if refusal.retry_after_seconds is None:
        return answer(refusal.status, body)
    return answer(refusal.status, body, retry_after=str(refusal.retry_after_seconds))


def _place(fault: BaseException) -> str:
    trace = fault.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"
