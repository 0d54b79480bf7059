"""Splunk's HTTP Event Collector: `event` and `raw`, health, acknowledgements, and its codes.

A client reads 200 with code 0 only as success. 503 with code 9, "server is busy", is what all of them retry;
at a 4xx most drop the batch. Acknowledgements are true at once: a 200 means that the events are durable.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zlib import crc32

import msgspec

from functions.ingest import streamed
from functions.ingest.protocols.contract import (
    UNMATCHED,
    IngestProtocol,
    IngestResult,
    LogRequest,
    Part,
    described,
    windows,
)
from functions.ingest.protocols.enveloped import (
    Converted,
    Fields,
    converted,
    event_of,
    is_blank,
    line_event,
    object_of,
)
from functions.ingest.protocols.refusals import Cause, cause_of, retry_after, status_for
from functions.ingest.unpack import CHUNK_BYTES
from functions.shared.errors import HttpError
from functions.shared.events.judge import RejectedEvent
from functions.shared.http import Answer, answer

SUCCESS, DISABLED, NO_TOKEN, BAD_TOKEN, NO_DATA, INVALID, FAULT, BUSY = 0, 1, 2, 4, 5, 6, 8, 9
EVENT_MISSING, EVENT_BLANK, HEALTHY, NO_PATH = 12, 13, 17, 404

_TEXTS = {
    DISABLED: "Token disabled",
    NO_TOKEN: "Token is required",
    BAD_TOKEN: "Invalid token",
    NO_DATA: "No data",
    INVALID: "Invalid data format",
    FAULT: "Internal server error",
    BUSY: "Server is busy",
    EVENT_MISSING: "Event field is required",
    EVENT_BLANK: "Event field cannot be blank",
    NO_PATH: "The requested URL was not found on this server.",
}

_STATUSES = {Cause.BUSY: 503, Cause.OVER_QUOTA: 503, Cause.CLOSED: 403}

_MISSING = RejectedEvent("message_missing", "The event has no 'event'.")
_BLANK = RejectedEvent("message_missing", "'event' is empty.")
_CODES = {_MISSING: EVENT_MISSING, _BLANK: EVENT_BLANK}

_ROOT = "/services/collector"
_RAW = (f"{_ROOT}/raw", f"{_ROOT}/raw/1.0")
_SENDING = (_ROOT, f"{_ROOT}/event", f"{_ROOT}/event/1.0", *_RAW)
_HEALTH = (f"{_ROOT}/health", f"{_ROOT}/health/1.0")
_ACK = f"{_ROOT}/ack"
_METHODS = "GET, POST, OPTIONS"
_RAW_PARAMETERS = ("host", "source", "sourcetype", "index")
_CHANNEL = "x-splunk-request-channel"
MAX_ACKS = 10_000
MAX_ACK_BYTES = CHUNK_BYTES


class _Acks(msgspec.Struct):
    acks: list[int]


class SplunkProtocol(IngestProtocol):
    """HEC, below `/services/`."""

    def handshake(self, request: LogRequest) -> Answer | None:
        path = request.path.rstrip("/")
        if request.route == UNMATCHED:
            return _without_key(request.method, path)
        if path == _ACK:
            return _acknowledged(request, self.unpack(request))
        return None if path in _SENDING else _answer(404, _TEXTS[NO_PATH], NO_PATH)

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        if _is_raw(request):
            return windows(_raw_events(pieces, request.query))
        return windows(converted(streamed.values(pieces), _event))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """200 if any event is stored; it counts the rejected ones, which a resend would not help."""
        first = result.rejections[0] if result.rejections else None
        if not result.rows:
            code = NO_DATA if first is None else _CODES.get(first.cause, INVALID)
            more: dict[str, Any] = {"invalid-event-number": first.index} if first else {}
            reason = f": {first.cause.reason}" if first and code == INVALID else ""
            return _answer(400, _TEXTS[code] + reason, code, **more)
        more = {"invalid-event-number": first.index, **described(result)} if first else {}
        if _has_channel(request):
            more["ackId"] = crc32(request.request_id.encode())
        return _answer(200, "Success", SUCCESS, **more)

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        code = _code_of(error, request)
        is_known = code in (NO_TOKEN, BAD_TOKEN, BUSY)
        text = _TEXTS[code] if is_known else f"{_TEXTS[code]}: {error.message}"
        response = _answer(status_for(error, _STATUSES), text, code)
        response["headers"] |= retry_after(error)
        return response


PROTOCOL = SplunkProtocol()


def _event(fields: Fields) -> Converted:
    """An event in its envelope: `time` is the timestamp, and `fields` are fields like all others."""
    content = fields.pop("event", None)
    if content is None:
        return _MISSING
    if is_blank(content):
        return _BLANK
    time = fields.pop("time", None)
    extra = object_of(fields.get("fields"))
    if extra:
        del fields["fields"]
    envelope: dict[str, Any] = {**extra, **fields}
    if not is_blank(time):
        envelope["timestamp"] = time
    return event_of(content, envelope)


def _raw_events(pieces: Iterator[bytes], query: Mapping[str, str]) -> Iterator[Converted]:
    """One event a line. A line that is a JSON object has its fields."""
    envelope = {name: query[name] for name in _RAW_PARAMETERS if name in query}
    return (line_event(line, envelope) for line in streamed.text_lines(pieces))


def _acknowledged(request: LogRequest, pieces: Iterator[bytes]) -> Answer:
    """All ids are acknowledged: each was given for events that are durable. Vector compresses the query, too.

    Raises
    ------
    HttpError: 400 for a body without ids; 401 without a key; 413 for one that is larger than MAX_ACK_BYTES.
    """
    request.caller()
    body = next(pieces, b"")
    if len(body) > MAX_ACK_BYTES:
        raise HttpError(413, "payload_too_large", "A query of acknowledgements is larger than 1 MiB.")
    try:
        ids = msgspec.json.decode(body, type=_Acks).acks
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise HttpError(400, "invalid_body", "The body has no 'acks', a list of ids.") from fault
    return answer(200, {"acks": {str(each): True for each in ids[:MAX_ACKS]}})


def _without_key(method: str, path: str) -> Answer | None:
    """The answer to a client that looks whether the collector is there; None for any other request."""
    if method == "GET" and path in _HEALTH:
        return _answer(200, "HEC is healthy", HEALTHY)
    if method == "OPTIONS" and path in _SENDING:
        return answer(200, allow=_METHODS)
    return None


def _is_raw(request: LogRequest) -> bool:
    return request.path.rstrip("/") in _RAW


def _has_channel(request: LogRequest) -> bool:
    return bool(request.headers.get(_CHANNEL) or request.query.get("channel"))


def _code_of(error: HttpError, request: LogRequest) -> int:
    if error.status == 401:
        return BAD_TOKEN if request.sent_key else NO_TOKEN
    cause = cause_of(error)
    if cause in (Cause.BUSY, Cause.OVER_QUOTA) or error.status == 503:
        return BUSY
    if cause is Cause.UNAVAILABLE:
        return FAULT
    return DISABLED if error.status in (402, 403) else INVALID


def _answer(status: int, text: str, code: int, **more: Any) -> Answer:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"text": text, "code": code, **more}, separators=(",", ":")),
    }
