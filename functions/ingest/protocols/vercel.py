"""Vercel's log drains: `POST /v1/vercel` with a JSON array or NDJSON, signed with HMAC-SHA1.

Vercel checks an endpoint by a value that the response must have as `x-vercel-verify`. It comes in that
header, or in the drain's URL as `verify`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from functions.ingest import streamed
from functions.ingest.protocols.contract import IngestResult, LogRequest, Part, windows
from functions.ingest.protocols.enveloped import (
    Converted,
    Fields,
    converted,
    event_of,
    is_blank,
    object_of,
    text_of,
)
from functions.ingest.protocols.forwarder import ForwarderProtocol, access_line
from functions.ingest.protocols.signatures import verify_signature
from functions.shared.http import Answer, answer

_VERIFY = "x-vercel-verify"
_VERIFY_VALUE = re.compile(r"[A-Za-z0-9_-]{1,128}")


class VercelProtocol(ForwarderProtocol):
    """Logs of a team's deployments."""

    def handshake(self, request: LogRequest) -> Answer | None:
        value = _verify_value(request)
        if value and not request.event.get("body"):
            return _verified(answer(200, {"status": "ok"}), request)
        return None

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        verify_signature(request, request.headers.get("x-vercel-signature", ""), "sha1")
        return windows(converted(streamed.values(pieces), _event))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        return _verified(super().accepted(result, request), request)


PROTOCOL = VercelProtocol()


def _verify_value(request: LogRequest) -> str:
    value = request.headers.get(_VERIFY) or request.query.get("verify", "")
    return value if _VERIFY_VALUE.fullmatch(value) else ""


def _verified(response: Answer, request: LogRequest) -> Answer:
    value = _verify_value(request)
    return {**response, "headers": {**response["headers"], _VERIFY: value}} if value else response


def _event(fields: Fields) -> Converted:
    """A log: its project is the service, and one of the edge without a message gets its request as one."""
    envelope: dict[str, Any] = {}
    project = text_of(fields.get("projectName"))
    if project and "service" not in fields:
        envelope["service"] = project
    proxy = object_of(fields.get("proxy"))
    if proxy and is_blank(fields.get("message")):
        method, host, path = (text_of(proxy.get(name)) for name in ("method", "host", "path"))
        fields.pop("message", None)
        envelope["message"] = access_line(method, host, path, bytes(proxy.get("statusCode", b"")).decode())
    return event_of(fields, envelope)
