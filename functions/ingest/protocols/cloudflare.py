"""Cloudflare Logpush: `POST /v1/cloudflare` with NDJSON, usually in gzip, under whatever content type.

Cloudflare tests a destination with a small upload, which is no log.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from functions.ingest import streamed, unpack
from functions.ingest.protocols.contract import LogRequest, Part, windows
from functions.ingest.protocols.enveloped import Converted, Fields, converted, event_of, text_of, without
from functions.ingest.protocols.forwarder import ForwarderProtocol, access_line

_GZIP = b"\x1f\x8b"
_TEST_UPLOAD = b'"tests"'
_TEST_BYTES = 64
_TIMES = ("EdgeStartTimestamp", "EventTimestampMs", "EventTimestampNs", "Datetime", "Timestamp", "When")
_SERVICES = ("ScriptName",)


class CloudflareProtocol(ForwarderProtocol):
    """Datasets of Logpush."""

    def unpack(self, request: LogRequest) -> Iterator[bytes]:
        """The body by its first bytes: the test upload says nothing of its encoding."""
        return unpack.chunks(request.body, "gzip" if request.body.startswith(_GZIP) else "")

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        return windows(converted(without(streamed.values(pieces), _is_test), _event))


PROTOCOL = CloudflareProtocol()


def _is_test(value: bytes) -> bool:
    return len(value) < _TEST_BYTES and b'"content"' in value and _TEST_UPLOAD in value


def _event(fields: Fields) -> Converted:
    """A record; one of HTTP requests gets its request as the message."""
    envelope: dict[str, Any] = {}
    time = next((name for name in _TIMES if name in fields), None)
    if time and "timestamp" not in fields:
        envelope["timestamp"] = fields.pop(time)
    if "ClientRequestMethod" in fields and "message" not in fields:
        names = ("ClientRequestMethod", "ClientRequestHost", "ClientRequestURI")
        method, host, uri = (text_of(fields.get(name)) for name in names)
        status = bytes(fields.get("EdgeResponseStatus", b"")).decode()
        envelope["message"] = access_line(method, host, uri, status)
    service = next((text_of(fields[name]) for name in _SERVICES if name in fields), "")
    if service and "service" not in fields:
        envelope["service"] = service
    return event_of(fields, envelope)
