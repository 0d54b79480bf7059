"""HTTP API events (payload 2.0), responses, and the one form of every error response."""

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from functions.shared.errors import HttpError, RetryableError
from functions.shared.journal import measure, place_of, write

MAX_BODY_BYTES = 1024 * 1024
"""The limit of every route that does not set its own. The gateway passes on bodies of several megabytes."""

TRY_AGAIN_SECONDS = 2

SECURITY_HEADERS = {
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}
"""Headers of every response that has no own value for them."""

Event = dict[str, Any]
Answer = dict[str, Any]


class Request(NamedTuple):
    """One HTTP request. `headers` have lower-case names; `body` is what arrived, before any decoding."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes
    request_id: str

    def __repr__(self) -> str:
        """Without headers, query and body, which may hold keys and logs."""
        return f"Request({self.method} {self.path}, {self.request_id})"


def request(event: Event, max_body_bytes: int = MAX_BODY_BYTES) -> Request:
    """Parse an event.

    Raises
    ------
    HttpError: 400 when the gateway marks the body as base64 and it is not; 413 for a body over the limit.
    """
    context = event["requestContext"]
    body = body_of(event)
    if len(body) > max_body_bytes:
        raise HttpError(
            413,
            "payload_too_large",
            f"The body has {len(body):,} bytes, more than the limit of this route, {max_body_bytes:,} bytes.",
        )
    return Request(
        method=context["http"]["method"],
        path=event.get("rawPath", "/"),
        headers=event.get("headers") or {},
        query=event.get("queryStringParameters") or {},
        body=body,
        request_id=context["requestId"],
    )


def body_of(event: Event) -> bytes:
    """The body as received.

    Raises
    ------
    HttpError: 400 when the gateway marks the body as base64 and it is not.
    """
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return bytes(text, "utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as fault:
        raise HttpError(400, "invalid_body", "The body is not valid base64.") from fault


def answer(status: int, body: dict[str, Any] | bytes | None = None, **headers: str) -> Answer:
    """A JSON response; pass `headers` as `retry_after="1"`. A body of bytes is already JSON."""
    encoded = body.decode() if isinstance(body, bytes) else "" if body is None else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"statusCode": status, "headers": {"content-type": "application/json", **named}, "body": encoded}


Form = Callable[[HttpError, Event], Answer]


def answering(route: Callable[[Event], Answer], form: Form | None = None) -> Callable[[Event, Any], Answer]:
    """Make `route` a Lambda handler: every error becomes a response.

    HttpError is its own response. A RetryableError, from any store or service, is 503 `try_again`: the
    outcome is unknown, and the type of the error is logged. Any other error is a 500 without details.

    The cause of a 500 is logged by type and place, without the exception's text, because a parser's message
    may quote the customer's data. Responses of 5xx are counted as `ServerErrors` of the route's folder in
    `functions/`.

    Parameters
    ----------
    form: makes the response of an error; by default the one form of the API, `refused`.
    """
    folder = route.__module__.split(".")[1]
    formed = form or refused

    def handler(event: Event, _context: Any) -> Answer:
        try:
            return _secured(route(event))
        except Exception as fault:  # noqa: BLE001 - the last line of defence; nothing is swallowed unseen
            error = _http_error(fault)
            if error.status >= 500:
                measure(folder, {"ServerErrors": (1, "Count")}, code=error.code)
            return _secured(formed(error, event))

    handler.__doc__ = route.__doc__
    return handler


def _secured(answered: Answer) -> Answer:
    return {**answered, "headers": {**SECURITY_HEADERS, **answered.get("headers", {})}}


def code_of(fault: Exception) -> str:
    """The code in the response to a request that failed with `fault`."""
    if isinstance(fault, HttpError):
        return fault.code
    return "try_again" if isinstance(fault, RetryableError) else "internal_error"


def _http_error(fault: Exception) -> HttpError:
    """The response to a request that failed with `fault`; the only place that converts other errors."""
    if isinstance(fault, HttpError):
        return fault
    if isinstance(fault, RetryableError):
        write("request_not_completed", error_type=type(fault).__name__)
        return HttpError(
            503,
            "try_again",
            "Temporarily unavailable. Check the current state, then retry.",
            retry_after_seconds=TRY_AGAIN_SECONDS,
        )
    write("unexpected_error", error_type=type(fault).__name__, error_place=place_of(fault))
    return HttpError(500, "internal_error", "Something went wrong on our side. The outcome is unknown.")


def refused(refusal: HttpError, event: Event) -> Answer:
    """The one form of every error response."""
    body = {
        **refusal.details,
        "error": refusal.message,
        "code": refusal.code,
        "request_id": event.get("requestContext", {}).get("requestId", ""),
    }
    headers = {}
    if refusal.retry_after_seconds is not None:
        headers["retry_after"] = str(refusal.retry_after_seconds)
    if refusal.allow:
        headers["allow"] = ", ".join(refusal.allow)
    return answer(refusal.status, body, **headers)
